"""`Coded`: networks that draw a short code and lead it to a row; walks from code to code."""

import math
from abc import abstractmethod

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gradatim.layers.generative.generative import Drawing

__all__ = ["Coded"]


class Coded(Drawing):
    """New rows are decoded codes. How likely a row is, such a network cannot say."""

    @abstractmethod
    def codes(self, count: int, chance: torch.Generator) -> Float[Tensor, "count code"]:
        """Draw codes."""

    @abstractmethod
    def decode(
        self, codes: Float[Tensor, "rows code"], labels: Int64[Tensor, " rows"] | None = None
    ) -> Float[Tensor, "rows features"]:
        """Return the rows that codes lead to, numbers from 0 to 1."""

    def forward(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows features"]:
        """Return as many new rows as these, always alike."""
        return self.drawn(len(x))

    def labels(self, count: int, chance: torch.Generator) -> Int64[Tensor, " count"] | None:
        """Draw classes, where the network knows of them."""
        return None

    def sample(
        self, count: int, chance: torch.Generator, labels: Int64[Tensor, " count"] | None = None
    ) -> Float[Tensor, "count features"]:
        """Return new rows; classes that nobody asks for are drawn."""
        codes = self.codes(count, chance)
        return self.decode(codes, self.labels(count, chance) if labels is None else labels)

    def walk(
        self, walks: int, steps: int, chance: torch.Generator
    ) -> Float[Tensor, "pictures features"]:
        """Return the rows along walks between two drawn codes each, walk by walk.

        A walk keeps to its class.

        Args:
            walks: how many.
            steps: rows of each, both ends among them.
            chance: codes are drawn from it.
        """
        begin, end = self.codes(walks, chance), self.codes(walks, chance)
        way = torch.linspace(0, 1, steps)[None, :, None]
        codes = self.between(begin[:, None], end[:, None], way).flatten(0, 1)
        labels = self.labels(walks, chance)
        return self.decode(codes, None if labels is None else labels.repeat_interleave(steps))

    def between(
        self,
        begin: Float[Tensor, "walks 1 code"],
        end: Float[Tensor, "walks 1 code"],
        way: Float[Tensor, "1 steps 1"],
    ) -> Float[Tensor, "walks steps code"]:
        """Return codes on the arc cos(t pi / 2) a + sin(t pi / 2) b.

        Where a and b are standard normal, so is every code between them; on a straight line they
        would be too near to 0.

        Source: White 2016, "Sampling generative networks", section 2.1.
        """
        angle = way * (math.pi / 2)
        return angle.cos() * begin + angle.sin() * end
