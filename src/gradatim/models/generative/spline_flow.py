"""Spline flow: each number bends along a curve that the numbers before it choose."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from gradatim.core.refusal import Refusal
from gradatim.core.signature import Image, Signature
from gradatim.layers.generative.ends import Tails
from gradatim.layers.generative.flow import Bijection, Flow
from gradatim.layers.generative.generative import asked
from gradatim.layers.generative.scaled import Way, numbers_in
from gradatim.layers.generative.spline import AutoregressiveSpline
from gradatim.models.generative._likelihood import LearntFlow

__all__ = ["RUNG", "SplineFlow"]

BOUND = 3.0
MOST = 256
"""Features that it takes: each layer has `width` times 3 `bins` numbers for every one."""


class SplineFlow(LearntFlow):
    """z_i = g_i(x_i), g_i a rational-quadratic spline chosen by x_1 ... x_i-1; then backwards.

    Idea: a curve with many knots can pile values up where an affine step only stretches.
    Cost: layers (2 w d + 3 bins d (w + d)) parameters; drawing takes d passes a layer.
    Fails when: rows are wide: one number after the other is drawn.
    """

    place: ClassVar[int] = 100
    idea: ClassVar[str] = "bends each number along a curve chosen by the numbers before it"
    source: ClassVar[str] = (
        "Durkan, Bekasov, Murray & Papamakarios 2019 (RQ-NSF, AR); Germain et al. 2015 (MADE)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "two layers, the second backwards, with no linear maps between them",
        "a linear path beside the hidden layer of MADE; no residual blocks at depth 1",
        "the box is [-3, 3], filled by the training pictures; columns have deviation 1",
        "beyond the box a logarithm pulls values in, in place of leaving them as they are",
        "dropout of a half for pictures, AdamW with one cycle of the rate",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"bins": 4, "width": 8, "layers": 1}
    }
    rate: ClassVar[float] = 3e-3

    layers: Annotated[int, Field(ge=1, le=64)] = 2
    bins: Annotated[int, Field(ge=2, le=256)] = 16
    """Of each curve."""
    width: Annotated[int, Field(ge=1, le=65_536)] = 128
    """Hidden units of the network that chooses curves."""
    depth: Annotated[int, Field(ge=1, le=32)] = 1
    """Hidden layers of that network."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take up to 256 numbers a row."""
        features = numbers_in(signature)
        if features <= MOST:
            return None
        reason = f"it chooses a curve for each of at most {MOST} numbers, and rows have {features}"
        return Refusal(reason, "use realnvp")

    def way(self, signature: Signature) -> tuple[Way, bool]:
        """Fill the box with the levels that a pixel has shown; give columns deviation 1."""
        return ("range" if isinstance(signature.input, Image) else "apart"), True

    def network(self, signature: Signature) -> Flow:
        """Return the layers, every other one backwards."""
        features = numbers_in(signature)
        steps: list[Bijection] = [Tails(BOUND)]
        steps += [self._layer(features, place % 2 == 1) for place in range(self.layers)]
        return Flow(steps, (features,), asked(signature))

    def _layer(self, features: int, backwards: bool) -> AutoregressiveSpline:
        sizes = (features, self.bins, BOUND, self.width, self.depth, self.dropout)
        return AutoregressiveSpline(*sizes, backwards=backwards)


RUNG = SplineFlow
