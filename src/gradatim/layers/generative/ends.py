"""Steps of flows for the ends of a range: open ones are pulled in, closed ones are opened."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from gradatim.layers.generative.flow import Bijection, Moved

__all__ = ["Logit", "Tails"]


class Logit(Bijection):
    """Open [0, 1]: z = log p - log(1 - p) with p = a + (1 - 2 a) x.

    Levels of pixels pile up at black and white; the logit spreads them. Values outside of
    [-a/2, 1 + a/2], which no picture has, count as those ends.

    Args:
        margin: a.

    Source: Dinh, Sohl-Dickstein & Bengio 2017, section 4.1, with a = 0.05.
    """

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, x: Float[Tensor, "rows *features"]) -> Moved:
        """Return the spread features and the sum of the log slopes."""
        a = self.margin
        p = a + (1 - 2 * a) * x.clamp(-a / 2, 1 + a / 2)
        z, log_slope = p.log() - (1 - p).log(), math.log(1 - 2 * a) - p.log() - (1 - p).log()
        return z, log_slope.flatten(1).sum(1)

    def inverse(self, z: Float[Tensor, "rows *features"]) -> Float[Tensor, "rows *features"]:
        """Undo."""
        return (z.sigmoid() - self.margin) / (1 - 2 * self.margin)


class Tails(Bijection):
    """Pull in what lies outside of [-B, B], so that a value never seen is rare, not impossible.

    z = x inside; z = +-(B + log(1 + |x| - B)) outside, where the slope is 1 / (1 + |x| - B). A
    normal density of z gives x the tails of a log-normal one.

    Args:
        bound: B.
    """

    def __init__(self, bound: float) -> None:
        super().__init__()
        self.bound = bound

    def forward(self, x: Float[Tensor, "rows *features"]) -> Moved:
        """Return the pulled features and the sum of the log slopes."""
        pull = (x.abs() - self.bound).clamp_min(0).log1p()
        z = torch.where(pull > 0, x.sign() * (self.bound + pull), x)
        return z, -pull.flatten(1).sum(1)

    def inverse(self, z: Float[Tensor, "rows *features"]) -> Float[Tensor, "rows *features"]:
        """Undo."""
        over = (z.abs() - self.bound).clamp_min(0).expm1()
        return torch.where(over > 0, z.sign() * (self.bound + over), z)
