"""Where a token stands: attention alone does not know the order of its tokens."""

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

from gradatim.core.errors import ConfigError

__all__ = ["LearnedPositions", "SinusoidalPositions", "rotate", "sinusoidal"]


def sinusoidal(length: int, dim: int, base: float = 10000.0) -> Float[Tensor, "length dim"]:
    """Return p_t = (sin w_0 t, cos w_0 t, ..., sin w_(d/2-1) t, cos w_(d/2-1) t) for each t.

    w_k = base^(-2 k / d), k = 0, ..., d / 2 - 1: from a wave of 2 pi tokens to one of almost
    2 pi base tokens.

    Args:
        length: tokens, t from 0.
        dim: numbers a token, even.
        base: sets the longest wave.

    Raises:
        ConfigError: the dimension is odd.

    Source: Vaswani et al. 2017, section 3.5; course 000, equation (20).

    Deviations: k from 0, where the course counts from 1 and so loses the fastest wave.

    >>> sinusoidal(2, 2)[1]  # sin 1, cos 1
    tensor([0.8415, 0.5403])
    """
    angle = _angles(torch.arange(length), dim, base)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).to(torch.get_default_dtype())


def rotate(
    tokens: Float[Tensor, "*batch tokens dim"],
    positions: Num[Tensor, " tokens"] | None = None,
    base: float = 10000.0,
) -> Float[Tensor, "*batch tokens dim"]:
    """Turn each pair of numbers of the token at t by the angle w_k t (rotary positions).

    (x_2k, x_2k+1) -> (x_2k cos - x_2k+1 sin, x_2k sin + x_2k+1 cos). A turn keeps lengths, and the
    dot product of two turned tokens depends on how far they are apart, not on where they are.

    Args:
        tokens: queries or keys, an even number of numbers each.
        positions: t of each token; 0, 1, 2, ... when left out.
        base: as in `sinusoidal`.

    Raises:
        ConfigError: the dimension is odd.

    Source: Su et al. 2021, equation (34).

    >>> rotate(torch.tensor([[1.0, 0.0]]), torch.tensor([1]))  # cos 1, sin 1
    tensor([[0.5403, 0.8415]])
    """
    count, dim = tokens.shape[-2:]
    at = torch.arange(count) if positions is None else positions
    angle = _angles(at.to(tokens.device), dim, base)
    cos, sin = angle.cos().to(tokens.dtype), angle.sin().to(tokens.dtype)
    even, odd = tokens[..., 0::2], tokens[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def _angles(positions: Tensor, dim: int, base: float) -> Tensor:
    """Return w_k t, in float64 because in float32 the angle of a late token loses its digits."""
    if dim % 2:
        raise ConfigError(f"positions need pairs of numbers; expected an even dimension, got {dim}")
    k = torch.arange(dim // 2, dtype=torch.float64, device=positions.device)
    return positions.double()[:, None] * base ** (-2 * k / dim)


class SinusoidalPositions(nn.Module):
    """Add p_t of `sinusoidal` to the token at t. It learns nothing and takes any length."""

    def forward(self, x: Float[Tensor, "rows tokens dim"]) -> Float[Tensor, "rows tokens dim"]:
        """Return the tokens with their places."""
        return x + sinusoidal(x.shape[1], x.shape[2]).to(x)


class LearnedPositions(nn.Module):
    """Add a learnt vector p_t to the token at t.

    Args:
        length: the most tokens.
        dim: of a token.

    Source: Gehring et al. 2017, section 3.1; Dosovitskiy et al. 2021, section 3.1. The first
    values have a standard deviation of 0.02, as in the latter's code.
    """

    def __init__(self, length: int, dim: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.empty(length, dim).normal_(std=0.02))

    def forward(self, x: Float[Tensor, "rows tokens dim"]) -> Float[Tensor, "rows tokens dim"]:
        """Return the tokens with their places.

        Raises:
            ConfigError: more tokens than there are learnt places.
        """
        if x.shape[1] > len(self.positions):
            raise ConfigError(
                f"{x.shape[1]} tokens came, and {len(self.positions)} places were learnt\n"
                "expected no more; cut the sequence or build the layer longer"
            )
        return x + self.positions[: x.shape[1]]
