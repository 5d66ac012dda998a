"""Blocks of a transformer whose tokens know where they are: places are added in every attention."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.layers.attention import MultiHeadAttention
from gradatim.layers.positions import sinusoidal

__all__ = ["DecoderLayer", "EncoderLayer", "Look", "Thought", "plane_positions"]

RATIO = 4
"""Hidden units for each number of a token."""


class Look(nn.Module):
    """x + A(N(x) + p, m + q, m): tokens ask what they want to know of others.

    Args:
        dim: of a token.
        heads: attentions side by side.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(dim), MultiHeadAttention(dim, heads, bias=False)

    def forward(
        self,
        x: Float[Tensor, "rows tokens dim"],
        places: Float[Tensor, "#rows tokens dim"],
        others: Float[Tensor, "rows others dim"] | None = None,
        theirs: Float[Tensor, "#rows others dim"] | None = None,
    ) -> Float[Tensor, "rows tokens dim"]:
        """Return the tokens after a look.

        Args:
            x: tokens that ask.
            places: p, where they are.
            others: m, tokens that are asked; the same, normalised, when left out.
            theirs: q, where these are.
        """
        asks = self.norm(x)
        if others is None or theirs is None:
            others, theirs = asks, places
        return x + self.attention(asks + places, others + theirs, others)[0]


class Thought(nn.Module):
    """x + W2 relu(W1 N(x)): what a token makes of it by itself.

    Args:
        dim: of a token.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        hidden = RATIO * dim
        self.layers = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, dim)
        )

    def forward(self, x: Float[Tensor, "rows tokens dim"]) -> Float[Tensor, "rows tokens dim"]:
        """Return the tokens after a thought."""
        return x + self.layers(x)


class EncoderLayer(nn.Module):
    """Places of a picture look at each other, then think.

    Args:
        dim: of a token.
        heads: attentions side by side.

    Source: Carion et al. 2020, appendix A.3.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.look, self.think = Look(dim, heads), Thought(dim)

    def forward(
        self, x: Float[Tensor, "rows tokens dim"], places: Float[Tensor, "#rows tokens dim"]
    ) -> Float[Tensor, "rows tokens dim"]:
        """Return the tokens of all places."""
        return self.think(self.look(x, places))


class DecoderLayer(nn.Module):
    """Queries look at each other, then at the picture, then think.

    Args:
        dim: of a token.
        heads: attentions side by side.

    Source: Carion et al. 2020, appendix A.3.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.among, self.look = Look(dim, heads), Look(dim, heads)
        self.think = Thought(dim)

    def forward(
        self,
        found: Float[Tensor, "rows queries dim"],
        asked: Float[Tensor, "rows queries dim"],
        memory: Float[Tensor, "rows places dim"],
        places: Float[Tensor, "#rows places dim"],
    ) -> Float[Tensor, "rows queries dim"]:
        """Return what the queries know now.

        Args:
            found: what they knew before.
            asked: what they are to find.
            memory: tokens of the picture.
            places: where these are.
        """
        return self.think(self.look(self.among(found, asked), asked, memory, places))


def plane_positions(dim: int, height: int, width: int) -> Float[Tensor, "1 places {dim}"]:
    """Return the waves of the line of each place, then those of its column.

    Source: Vaswani et al. 2017, section 3.5, on two axes; Carion et al. 2020, appendix A.4.

    >>> plane_positions(4, 2, 3)[0, 3].tolist()[2:]  # of the first place in the second line
    [0.0, 1.0]
    """
    down = sinusoidal(height, dim // 2)[:, None].expand(-1, width, -1)
    across = sinusoidal(width, dim // 2)[None].expand(height, -1, -1)
    return torch.cat([down, across], -1).flatten(0, 1)[None]
