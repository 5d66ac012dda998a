"""`Masked`: a network whose numbers for a feature know the features before it, and no other."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Masked"]

SMALL = 1e-2
"""Deviation of the weights of the last layer at first, so that all numbers begin near 0."""


class MaskedLinear(nn.Linear):
    """A linear layer in which some connections are cut.

    Args:
        mask: 1 for a connection, 0 for none.
        bias: whether a constant is added.
    """

    mask: Tensor

    def __init__(self, mask: Float[Tensor, "outputs inputs"], bias: bool = True) -> None:
        super().__init__(mask.shape[1], mask.shape[0], bias)
        self.register_buffer("mask", mask)

    def forward(
        self,
        input: Float[Tensor, "rows inputs"],  # noqa: A002  (torch's own name)
    ) -> Float[Tensor, "rows outputs"]:
        """Return W x + b with the cut weights at 0."""
        return F.linear(input, self.weight * self.mask, self.bias)


class Masked(nn.Module):
    """Layers with cut connections: every unit has a degree, and knows features of lower degree.

    Feature i has degree i in the given order; hidden units have degrees 1 ... d - 1 in turn; a
    unit is connected to those of at most its own degree, an output to those of less than its
    feature's. A second path goes from the features to the outputs in one linear layer.

    Args:
        features: d.
        each: numbers for each feature.
        width: hidden units.
        depth: hidden layers; those after the first add to what was there.
        dropout: of hidden units.
        backwards: the last feature comes first.

    Source: Germain, Gregor, Murray & Larochelle 2015 (MADE), equations (8)-(11) and section 4.1;
        residual layers as in Durkan et al. 2019, appendix B.1.
    """

    def __init__(
        self,
        features: int,
        each: int,
        width: int,
        depth: int = 1,
        dropout: float = 0.0,
        *,
        backwards: bool = False,
    ) -> None:
        super().__init__()
        order = torch.arange(features)
        order = order.flip(0) if backwards else order
        degree = torch.arange(width) % max(1, features - 1)
        knows = (degree[:, None] >= order).float()
        among = (degree[:, None] >= degree).float()
        said = (order[:, None] > degree).float().repeat_interleave(each, 0)
        past = (order[:, None] > order).float().repeat_interleave(each, 0)
        self.each, self.order = each, list(range(features))[:: -1 if backwards else 1]
        self.read = MaskedLinear(knows)
        self.hidden = nn.ModuleList(MaskedLinear(among) for _ in range(depth - 1))
        self.dropout = nn.Dropout(dropout)
        self.write, self.direct = MaskedLinear(said), MaskedLinear(past, bias=False)
        for layer in (self.write, self.direct):
            nn.init.normal_(layer.weight, std=SMALL)
        nn.init.zeros_(self.write.bias)

    def forward(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows features each"]:
        """Return the numbers for every feature."""
        said = self.write(self._hidden(x)) + self.direct(x)
        return said.view(len(x), -1, self.each)

    def about(self, feature: int, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows each"]:
        """Return the numbers for one feature, which is a share of the work."""
        own = slice(feature * self.each, (feature + 1) * self.each)
        hidden, write, direct = self._hidden(x), self.write, self.direct
        said: Tensor = F.linear(hidden, write.weight[own] * write.mask[own], write.bias[own])
        return said + F.linear(x, direct.weight[own] * direct.mask[own])

    def _hidden(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows width"]:
        h: Tensor = self.dropout(F.relu(self.read(x)))
        for layer in self.hidden:
            h = h + self.dropout(F.relu(layer(h)))
        return h
