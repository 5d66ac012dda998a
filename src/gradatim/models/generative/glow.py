"""Glow: couplings of channels by convolutions, at several scales."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from gradatim.core.refusal import Refusal
from gradatim.core.signature import Image, Signature
from gradatim.layers.generative.ends import Logit
from gradatim.layers.generative.flow import Flow
from gradatim.layers.generative.generative import asked
from gradatim.layers.generative.planes import Scale, glow_steps
from gradatim.layers.generative.scaled import Way, numbers_in
from gradatim.models.generative._likelihood import LearntFlow

__all__ = ["RUNG", "Glow"]

MARGIN = 0.01


class Glow(LearntFlow):
    """Steps of (normalise, mix channels, couple by convolutions); half leaves at every scale.

    Idea: what a pixel says of its neighbours is the same everywhere in a picture.
    Cost: 12 channels w + w^2 parameters a step or so, each used at every place of the picture.
    Fails when: pictures have their things in one place: then dense couplings know more.
    """

    place: ClassVar[int] = 90
    idea: ClassVar[str] = "couples channels by convolutions, and mixes them by learnt rotations"
    source: ClassVar[str] = "Kingma & Dhariwal 2018 (Glow)"
    deviations: ClassVar[tuple[str, ...]] = (
        "4 steps at each of 2 scales, of 64 channels, in place of 32 steps of 512",
        "the logit of levels, as in RealNVP; dropout of channels, for few rows",
        "scales of a coupling are bounded by tanh in place of a sigmoid",
        "AdamW with one cycle of the rate",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"depth": 1, "width": 8}}
    reads: ClassVar[tuple[str, ...]] = ("image",)
    moves: ClassVar[int] = 900

    scales: Annotated[int, Field(ge=1, le=8)] = 2
    """The most scales; fewer where sides cannot be halved so often."""
    depth: Annotated[int, Field(ge=1, le=256)] = 4
    """Steps at each scale."""
    width: Annotated[int, Field(ge=1, le=4096)] = 64
    """Hidden channels of a coupling."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take pictures whose sides can be halved."""
        field = signature.input
        assert isinstance(field, Image)
        if field.height % 2 or field.width % 2:
            return Refusal("it halves both sides of a picture, and these are odd", "use realnvp")
        return None

    def way(self, signature: Signature) -> tuple[Way, bool]:
        """Scale levels to [0, 1]."""
        return "unit", False

    def network(self, signature: Signature) -> Flow:
        """Return the scales behind the logit."""
        field = signature.input
        assert isinstance(field, Image)
        shape = (field.channels, field.height, field.width)
        scale = self._scale(shape, self.scales)
        return Flow([Logit(MARGIN), scale], (numbers_in(signature),), asked(signature))

    def _scale(self, shape: tuple[int, int, int], left: int) -> Scale:
        channels, height, width = shape
        steps = glow_steps(4 * channels, self.depth, self.width, self.dropout)
        if left == 1 or height % 4 or width % 4:
            return Scale(shape, steps)
        smaller = (2 * channels, height // 2, width // 2)
        return Scale(shape, steps, self._scale(smaller, left - 1))


RUNG = Glow
