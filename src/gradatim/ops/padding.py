"""What a convolution sees beyond the border of a picture or a signal."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.errors import ConfigError, nearest

__all__ = ["STRATEGIES", "each_axis", "pad", "same_padding"]

STRATEGIES = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "replicate",
    "circular": "circular",
    "random": "random",
}
"""Our names and those of `torch.nn.functional.pad`, which has no random padding."""


def pad(
    x: Float[Tensor, "rows channels *places"],
    padding: int | Sequence[int],
    strategy: str = "zeros",
    generator: torch.Generator | None = None,
) -> Float[Tensor, "rows channels *padded"]:
    """Return x with `padding` more places at both ends of each axis.

    zeros: 0. reflect: the mirror image, the border itself not repeated. replicate: the nearest
    place ("nearest neighbour"). circular: the other end. random: the place, all channels together,
    that is drawn for it uniformly from the same picture, so that the border has the picture's
    colours and no shape.

    Args:
        x: signals (one axis of places) or pictures (two).
        padding: places added at each end, one number for all axes or one an axis.
        strategy: one of `STRATEGIES`.
        generator: what "random" draws with; required there, so that chance has a seed.

    Raises:
        ConfigError: an unknown strategy, "random" without a generator, or more places than the
            strategy can take from x (reflect: n - 1, circular: n).

    Source: course 001, remark "Padding strategies" of section 5.2.5.

    >>> pad(torch.tensor([[[1.0, 2.0, 3.0]]]), 1, "reflect")
    tensor([[[2., 1., 2., 3., 2.]]])
    """
    if strategy not in STRATEGIES:
        raise ConfigError(f'no padding is called "{strategy}"; {nearest(strategy, STRATEGIES)}')
    amounts = each_axis(padding, x.ndim - 2)
    _check(strategy, amounts, x.shape[2:])
    if strategy == "random":
        if generator is None:
            raise ConfigError('padding "random" draws places: give it a seeded torch.Generator')
        places = _drawn(x, amounts, generator).expand(-1, x.shape[1], *[-1] * len(amounts))
        return x.flatten(2).gather(2, places.flatten(2)).view(places.shape)
    # torch counts axes from the last one back, and names both ends of each.
    ends = [amount for amount in reversed(amounts) for _ in range(2)]
    return F.pad(x, ends, mode=STRATEGIES[strategy])


def same_padding(kernel: int, dilation: int = 1) -> int:
    """Return the padding that keeps the size of a map at stride 1: P = d (K - 1) / 2.

    Args:
        kernel: side of the window, 1 or more.
        dilation: 1 or more.

    Raises:
        ConfigError: d (K - 1) is odd, so no number of places fits both ends.

    Source: course 001, section 5.2.5, where d = 1; it holds for odd K and stride 1 alone.

    >>> same_padding(3), same_padding(5, dilation=2)
    (1, 4)
    """
    whole = dilation * (kernel - 1)
    if whole % 2:
        raise ConfigError(
            f"a window of {kernel} with dilation {dilation} needs {whole} more places in all, an "
            "odd number\nexpected the same number at both ends; take an odd window"
        )
    return whole // 2


def each_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """Return one number an axis: the number itself for all of them, or those given.

    Raises:
        ConfigError: a sequence of another length.

    >>> each_axis(2, 2), each_axis([1, 2], 2)
    ((2, 2), (1, 2))
    """
    values = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(values) != axes:
        raise ConfigError(f"expected one number, or {axes}, one an axis; got {list(values)}")
    return values


def _check(strategy: str, amounts: Sequence[int], sizes: Sequence[int]) -> None:
    spare = {"reflect": 1, "circular": 0}
    for amount, size in zip(amounts, sizes, strict=True):
        most = size - spare[strategy] if strategy in spare else amount
        if not 0 <= amount <= most:
            raise ConfigError(
                f'padding "{strategy}" of {amount} does not fit an axis of {size} places; expected '
                f"0 to {most}"
                if amount > most
                else f"padding of {amount} was asked for; expected 0 or more"
            )


def _drawn(
    x: Tensor, amounts: Sequence[int], generator: torch.Generator
) -> Int64[Tensor, "rows 1 *padded"]:
    """Return which flattened place of x each padded place shows: its own, or one drawn."""
    sizes = x.shape[2:]
    own = torch.arange(sizes.numel(), device=x.device).view(1, 1, *sizes)
    ends = [amount for amount in reversed(amounts) for _ in range(2)]
    own = F.pad(own, ends, value=-1)
    drawn = torch.randint(sizes.numel(), (len(x), *own.shape[1:]), generator=generator)
    return torch.where(own < 0, drawn.to(x.device), own)
