"""`Flow`: steps that can be undone, from rows to a standard normal."""

import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gradatim.layers.generative.generative import Asked, Generative

__all__ = ["Bijection", "Flow", "standard_normal"]

Moved = tuple[Float[Tensor, "rows *noise"], Float[Tensor, " rows"]]


class Bijection(nn.Module):
    """A map that can be undone: `forward` goes from data to noise."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "rows *features"]) -> Moved:
        """Return z = f(x) and log |det df/dx| of each row."""

    @abstractmethod
    def inverse(self, z: Float[Tensor, "rows *features"]) -> Float[Tensor, "rows *features"]:
        """Return the x with f(x) = z."""


class Flow(Generative):
    """Compose bijections: log p(x) = log N(f(x); 0, I) + sum log |det of each step|.

    Args:
        steps: from data to noise.
        shape: of a row at the end, where the noise is.
        asked: see `Generative`.

    Source: Rezende & Mohamed 2015; Dinh, Sohl-Dickstein & Bengio 2017, equations (2) and (3).
    """

    def __init__(
        self, steps: Sequence[Bijection], shape: tuple[int, ...], asked: Asked = "density"
    ) -> None:
        super().__init__(asked)
        self.steps, self.shape = nn.ModuleList(steps), shape

    def log_prob(self, x: Float[Tensor, "rows *features"]) -> Float[Tensor, " rows"]:
        """Return the log density of rows, in nats."""
        z, log_det = self.noise(x)
        return standard_normal(z) + log_det

    def noise(self, x: Float[Tensor, "rows *features"]) -> Moved:
        """Return what rows become under all steps, and the log determinants added up."""
        log_det = x.new_zeros(len(x))
        for step in self.steps:
            x, more = step(x)
            log_det = log_det + more
        return x, log_det

    def sample(
        self, count: int, chance: torch.Generator, labels: Int64[Tensor, " count"] | None = None
    ) -> Float[Tensor, "count *features"]:
        """Return rows that noise becomes when all steps are undone."""
        return self.undone(torch.randn(count, *self.shape, generator=chance))

    def undone(self, z: Float[Tensor, "rows *noise"]) -> Float[Tensor, "rows *features"]:
        """Return the rows that became this noise."""
        for step in reversed(self.steps):
            assert isinstance(step, Bijection), "steps are bijections"
            z = step.inverse(z)
        return z


def standard_normal(z: Float[Tensor, "rows *features"]) -> Float[Tensor, " rows"]:
    """Return the log density of a standard normal, in nats: -(|z|^2 + d log 2 pi) / 2."""
    squares = z.flatten(1).square().sum(1)
    return -(squares + z[0].numel() * math.log(2 * math.pi)) / 2
