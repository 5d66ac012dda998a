"""As it is: the noisy picture, untouched."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.layers.denoising.levels import Levels, SameLevels

__all__ = ["RUNG", "AsItIs"]


class AsItIs(Solved):
    """Answer with the input.

    Its PSNR is 20 log10(255 / sigma) where noise is white and nothing is clipped.

    Idea: the score to beat; a rung that does not makes pictures worse.
    Cost: nothing.
    Fails when: there is any noise.
    """

    place: ClassVar[int] = 0
    dummy: ClassVar[bool] = True
    idea: ClassVar[str] = "leaves the noise where it is: the score to beat"
    source: ClassVar[str] = "the custom of the field: the first row of tables of denoisers"
    reads: ClassVar[tuple[str, ...]] = ("image",)
    answers: ClassVar[tuple[str, ...]] = ("picture",)

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any picture."""
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the identity."""
        return Model(Levels(), nn.Identity(), SameLevels())

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Learn nothing."""
        return self.build(signature, {})


RUNG = AsItIs
