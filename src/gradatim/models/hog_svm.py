"""Hand-made features and a support vector machine: how pictures were recognised before 2012."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.core.refusal import Refusal
from gradatim.core.signature import Category, Image, Signature
from gradatim.layers.hog import HogFeatures
from gradatim.models._support import SupportVectors

__all__ = ["RUNG", "HogSvm"]


class HogSvm(SupportVectors):
    """Histograms of oriented gradients, then the machine of the rung `svm`.

    h(cell, direction) = mean over the cell's pixels of |gradient| that points there; blocks of
    2 x 2 cells are normalised together; then sum_i a_i k(h, h_i) + b.

    Idea: a person says what matters in pictures: edges and their directions, not brightness.
    Cost: as `svm`, with 36 features for each of some 36 blocks.
    Fails when: colour or texture tells the classes apart, or things move about in the picture.
    """

    place: ClassVar[int] = 65
    idea: ClassVar[str] = "sees edges and their directions, as chosen by hand, instead of pixels"
    source: ClassVar[str] = 'Dalal & Triggs 2005; course 000, "Typical recognition Algorithm"'
    deviations: ClassVar[tuple[str, ...]] = (
        "pictures are resized to a long side of 28 to 64 pixels and cells fit their size",
        "a pixel votes for one cell and one direction; the kernel is RBF instead of linear",
        *SupportVectors.shared_deviations,
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"cells": 3, "trial_rows": 100, "limit": 300, "landmarks": 50}
    }

    cells: Annotated[int, Field(ge=2, le=16)] = 7
    """Cells along the long side of the picture."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take pictures with categories."""
        if not isinstance(signature.input, Image):
            return Refusal(
                "edges have directions in pictures, not in tables or sequences", "use svm"
            )
        if not isinstance(signature.output, Category):
            return Refusal("hog_svm tells categories apart, it predicts no quantities", "use svm")
        return None

    def features(self, signature: Signature) -> nn.Module:
        """Return one row of histograms a picture."""
        assert isinstance(signature.input, Image)
        return HogFeatures(signature.input, self.cells)


RUNG = HogSvm
