"""`Generative`: what density and synthesis share: how probable rows are, and new rows."""

from abc import abstractmethod
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gradatim.core.randomness import generator
from gradatim.core.signature import Density, Signature

__all__ = ["Asked", "Drawing", "Generative", "asked"]

Asked = Literal["density", "synthesis"]


class Drawing(nn.Module):
    """A network that draws rows of features."""

    @abstractmethod
    def sample(
        self, count: int, chance: torch.Generator, labels: Int64[Tensor, " count"] | None = None
    ) -> Float[Tensor, "count *features"]:
        """Return new rows of features.

        Args:
            count: how many.
            chance: all that is drawn is drawn from it.
            labels: classes that are wanted; None where the network does not know of classes.
        """

    def drawn(self, count: int) -> Float[Tensor, "count *features"]:
        """Return so many new rows, always the same."""
        return self.sample(count, generator(0, "drawn rows"))


class Generative(Drawing):
    """A network that stands for a distribution of features: it also says how likely rows are.

    A rung with both methods stands on both ladders.

    Args:
        asked: what `forward` answers with: the log density of the rows that it is given, or as
            many rows, drawn.
    """

    def __init__(self, asked: Asked = "density") -> None:
        super().__init__()
        self.asked = asked

    @abstractmethod
    def log_prob(self, x: Float[Tensor, "rows *features"]) -> Float[Tensor, " rows"]:
        """Return the log density of rows of features, in nats."""

    def forward(self, x: Float[Tensor, "rows *features"]) -> Float[Tensor, "rows *answer"]:
        """Return what is asked: log densities of these rows, or as many new ones, always alike."""
        if self.asked == "density":
            return self.log_prob(x)
        return self.drawn(len(x))


def asked(signature: Signature) -> Asked:
    """Return what a network is asked for in this job."""
    return "density" if isinstance(signature.output, Density) else "synthesis"
