"""Commonest class: every pixel is of the class that most pixels are of."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.layers.segmentation.pixel_tables import ConstantMap
from gradatim.models.segmentation._pixels import OnPixels, class_counts

__all__ = ["RUNG", "CommonestClass"]


class CommonestClass(OnPixels):
    """Answer every pixel with the class shares of the training pixels.

    p_c = (n_c + 1) / (n + k) for k classes, one imagined pixel a class (Laplace).

    Idea: the score to beat; a rung that does not is not looking at the picture.
    Cost: one number a class; one count.
    Fails when: the picture says anything about the class.
    """

    place: ClassVar[int] = 0
    dummy: ClassVar[bool] = True
    idea: ClassVar[str] = "answers with the class shares, without looking: the score to beat"
    source: ClassVar[str] = "Laplace 1814 (rule of succession); Holte 1993 (rule 0R)"

    def network(self, signature: Signature, extents: Mapping[str, int]) -> nn.Module:
        """Return one number a class."""
        return ConstantMap(signature.outputs)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Count."""
        model = self.build(signature, {})
        assert isinstance(model.network, ConstantMap)
        count = class_counts(samples, signature.outputs) + 1
        model.network.scores.copy_((count / count.sum()).log())
        return model


RUNG = CommonestClass
