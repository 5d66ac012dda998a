"""Threshold: grey levels cut where the parts are most uniform, a class a part."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from scipy.optimize import linear_sum_assignment
from torch import nn

from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.layers.segmentation.pixel_tables import GreyLevels, PixelTable
from gradatim.models.segmentation._pixels import OnPixels, counts_by_code
from gradatim.ops.segmentation.otsu import otsu

__all__ = ["RUNG", "Threshold"]


class Threshold(OnPixels):
    """Otsu's thresholds on the levels of all training pixels, as many parts as classes.

    Which part is which class is learnt: the one-to-one assignment with the largest sum of
    P(part | class), so that a rare class has its say. A pixel's class gets log s, the others share
    log (1 - s) evenly, s being the share of training pixels that this is right for.

    Idea: what stands out by brightness needs no learning.
    Cost: one number a grey level and class; one histogram.
    Fails when: light varies over the picture, or classes differ by texture or shape.
    """

    place: ClassVar[int] = 10
    idea: ClassVar[str] = "cuts the grey levels where the parts are most uniform"
    source: ClassVar[str] = "Otsu 1979; several thresholds: Liao, Chen & Chung 2001"
    deviations: ClassVar[tuple[str, ...]] = (
        "one set of thresholds for all pictures, from the histogram of all training pixels",
        "which part is which class comes from the training masks; colours are turned to grey",
    )

    def network(self, signature: Signature, extents: Mapping[str, int]) -> nn.Module:
        """Return a score for each grey level and class."""
        return PixelTable(GreyLevels(), signature.outputs)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Cut the levels, then name the parts."""
        classes = signature.outputs
        model = self.build(signature, {})
        assert isinstance(model.network, PixelTable)
        counts = counts_by_code(samples, model.network.coder, GreyLevels.codes, classes)
        cuts = torch.from_numpy(otsu(counts.sum(1).numpy(), classes))
        part = torch.searchsorted(cuts, torch.arange(GreyLevels.codes))
        table = torch.zeros(classes, classes, dtype=torch.float64).index_add_(0, part, counts)
        of_class = table / table.sum(0).clamp_min(1)
        _, named = linear_sum_assignment(of_class.numpy(), maximize=True)
        meant = torch.from_numpy(named)
        right = table[torch.arange(classes), meant].sum() / table.sum().clamp_min(1)
        # A share above that of a guess, so that the part's class always leads.
        share = right.clamp(1 / classes + 1e-3, 1 - 1e-3)
        scores = ((1 - share) / (classes - 1)).log().repeat(GreyLevels.codes, classes)
        scores[torch.arange(GreyLevels.codes), meant[part]] = share.log()
        model.network.scores.copy_(scores)
        return model


RUNG = Threshold
