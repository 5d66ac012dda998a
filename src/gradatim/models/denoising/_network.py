"""What networks that remove noise share: levels around them, and how they are trained."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe, Schedule
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.signature import Signature
from gradatim.layers.denoising.levels import Levels, OnLevels, SameLevels

__all__ = ["Denoiser"]

EPOCH = 1600
"""Squares an epoch, whatever the number of pictures."""


class Denoiser(Trained):
    """A network from noisy to clean planes: a subclass gives the network."""

    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("picture",)
    epochs: ClassVar[int]
    """Passes that suffice, of 1600 squares each."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any picture."""
        return None

    @abstractmethod
    def network(self, channels: int) -> OnLevels:
        """Return the network for pictures of so many channels."""

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network behind and before levels."""
        return Model(Levels(), self.network(signature.outputs), SameLevels())

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return epochs of 1600 squares, flipped and turned, to the last one.

        Nothing is held out: noise is new in every step, so that there is little to learn by heart.
        """
        return Recipe(
            optimizer=OptimizerChoice(lr=2e-3, weight_decay=1e-4),
            schedule=Schedule(name="cosine", warmup=0.05),
            augmentation=Augmentation(flip=True, turn=True),
            epochs=self.epochs,
            batch=16,
            patch=48,
            patches=max(1, round(EPOCH / rows)),
            validation=0.0,
        )
