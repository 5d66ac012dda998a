"""Boxes as the middles that a heat map shows, with an offset and a size beside each."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.layers.detection.found_boxes import LearntBoxes
from gradatim.ops.detection.boxes import cornered
from gradatim.ops.detection.heat_maps import bells, heat_maps, middles, owners
from gradatim.ops.detection.losses import apart, penalty_reduced_focal, unfocused

__all__ = ["CentreMaps", "around"]

LARGEST = 5.0  # a size beyond e^5 times the usual one would be more than any picture


class CentreMaps(LearntBoxes):
    """Maps to boxes and back: heat of each class, offset (2) and logarithmic size (2).

    At a place x the box has its middle at x + u o / 2 and the size u e^s, u the usual size. A box
    is found where the heat of its class is highest among the 3 x 3 places around; how sure that is
    is the chance that a middle lies in any of these nine.

    Loss of a row: (sum of focal losses + 2 sum_x w_x (1 - giou_x)) / boxes, over the places x of
    bells around the middles, whose weights w are 1 a box together.

    Source: Zhou, Wang & Krähenbühl 2019, "Objects as points", sections 3 and 4; Liu et al. 2020,
        "Training-time-friendly network", section 3, for the second term.
    """

    def losses(
        self, scores: Float[Tensor, "rows maps h w"], targets: Float[Tensor, "rows most 5"]
    ) -> Float[Tensor, " rows"]:
        """Return the loss of every row of raw scores."""
        bell = bells(targets, *scores.shape[2:])
        heat = heat_maps(bell, targets, self.classes)
        focal = penalty_reduced_focal(scores[:, : self.classes], heat).sum((1, 2, 3))
        owner, weight = owners(bell, targets)
        row, y, x = weight.nonzero(as_tuple=True)
        there = targets[row, owner[row, y, x], :4]
        wrong = weight[row, y, x] * apart(self.boxes(scores)[row, y, x], there)
        count = (targets[..., 4] >= 0).sum(1).clamp_min(1)
        return (focal + 2 * torch.zeros_like(focal).index_add(0, row, wrong)) / count

    def boxes(self, scores: Float[Tensor, "rows maps h w"]) -> Float[Tensor, "rows h w 4"]:
        """Return the box that each place speaks of, in shares."""
        offset, size = scores[:, self.classes :].movedim(1, -1).split(2, dim=-1)
        middle = middles(*scores.shape[2:]).to(scores) + self.usual * offset / 2
        return cornered(torch.cat([middle, self.usual * size.clamp_max(LARGEST).exp()], -1))

    def forward(
        self, scores: Float[Tensor, "rows maps h w"]
    ) -> Float[Tensor, "rows {self.most} 6"]:
        """Return the boxes at the peaks of the heat, the surest first; -1 where there is none."""
        heat = scores[:, : self.classes].sigmoid()
        highest = F.max_pool2d(heat, 3, 1, padding=1) == heat
        peaks = torch.where(highest, around(unfocused(heat)), -1).flatten(1)
        sure, where = peaks.topk(min(self.most, peaks.shape[1]))
        name, place = where // heat[0, 0].numel(), where % heat[0, 0].numel()
        boxes = self.boxes(scores).flatten(1, 2)
        return self.listed(boxes.gather(1, place[..., None].expand(-1, -1, 4)), sure, name)


def around(chances: Float[Tensor, "rows maps h w"]) -> Float[Tensor, "rows maps h w"]:
    """Return the chance that something is in any of the 3 x 3 places around each, 1 - prod(1 - q).

    Args:
        chances: q of each place, in [0, 1), taken to be independent.

    >>> around(torch.full((1, 1, 1, 2), 0.5)).flatten().tolist()
    [0.75, 0.75]
    """
    nothing = (1 - chances).clamp_min(1e-6).log()
    return -(9 * F.avg_pool2d(nothing, 3, 1, padding=1)).expm1()
