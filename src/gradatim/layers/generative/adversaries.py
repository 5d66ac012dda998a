"""`Adversaries`: one network that draws, one that tells drawn rows from real ones."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gradatim.layers.generative.coded import Coded

__all__ = ["Adversaries", "standing_still"]


class Adversaries(Coded):
    """G(z) with z ~ N(0, 1), and D, which is needed in training alone.

    Args:
        generator: noise, and classes where it knows of them -> rows of numbers from 0 to 1.
        discriminator: rows, and their classes likewise -> one score a row, high for real.
        noise: numbers of z.
        classes: that both know of; 0 for none.

    Source: Goodfellow et al. 2014; Mirza & Osindero 2014 (classes).
    """

    counts: Tensor

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, noise: int, classes: int = 0
    ) -> None:
        super().__init__()
        self.generator, self.discriminator, self.noise = generator, discriminator, noise
        self.register_buffer("counts", torch.zeros(classes, dtype=torch.float64))

    def count(self, labels: Int64[Tensor, " rows"]) -> None:
        """Remember how frequent the classes are."""
        self.counts += torch.bincount(labels, minlength=len(self.counts))

    def draw(
        self, count: int, labels: Int64[Tensor, " count"] | None = None
    ) -> Float[Tensor, "count features"]:
        """Return G(z) in training, where the step has seeded torch's own generator."""
        return self.decode(torch.randn(count, self.noise), labels)

    def codes(self, count: int, chance: torch.Generator) -> Float[Tensor, "count code"]:
        """Draw standard normal noise."""
        return torch.randn(count, self.noise, generator=chance)

    def decode(
        self, codes: Float[Tensor, "rows code"], labels: Int64[Tensor, " rows"] | None = None
    ) -> Float[Tensor, "rows features"]:
        """Return G(z)."""
        return self.generator(codes) if labels is None else self.generator(codes, labels)

    def labels(self, count: int, chance: torch.Generator) -> Int64[Tensor, " count"] | None:
        """Draw classes as often as they were seen."""
        if not len(self.counts):
            return None
        # Counts begin at 0, where all classes are alike.
        return torch.multinomial(self.counts + 1e-9, count, True, generator=chance)


@contextmanager
def standing_still(player: nn.Module) -> Iterator[None]:
    """Ask for no gradients of a player's own parameters, while another one learns through it."""
    moving = [p for p in player.parameters() if p.requires_grad]
    for parameter in moving:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in moving:
            parameter.requires_grad_(True)
