"""Boxes as the distances from places inside of them to their four sides."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from gradatim.layers.detection.found_boxes import LearntBoxes
from gradatim.ops.detection.boxes import area, centred
from gradatim.ops.detection.heat_maps import middles
from gradatim.ops.detection.losses import apart, centre_ness, sigmoid_focal

__all__ = ["DistanceMaps", "taught_places"]

RADIUS = 1.5
"""How many places from the middle of a box still learn of it, along each axis."""
REACH = 8.0
"""How many places the farthest side of a box may be away on all levels but the coarsest."""
LEAST = 0.05  # confidence of an answer
CANDIDATES = 1000  # boxes of a picture that are compared with one another
LARGEST = 5.0  # a distance beyond e^5 times the usual one would be more than any picture


class DistanceMaps(LearntBoxes):
    """Scores of places to boxes and back: classes, four logarithmic distances, centre-ness.

    A place x has the box from x - u e^(l, t) / 2 to x + u e^(r, b) / 2, u the usual size. How sure
    it is of a class is the root of its probability times the centre-ness.

    Loss of a row: sum of focal losses / n + weighted mean of (1 - giou) + cross-entropy of
    centre-ness / n, over the n places that a box teaches, weighted by their centre-ness.

    Args:
        classes: names that boxes may have.
        most: boxes of an answer.
        overlap: of two boxes of a class that overlap more, the less confident one goes.
        levels: height and width of each map, finest first; places are counted in this order.

    Source: Tian, Shen, Chen & He 2019, "FCOS", section 3; the radius and the root: 2020, section 3.
    """

    def __init__(
        self, classes: int, most: int, overlap: float, levels: Sequence[tuple[int, int]]
    ) -> None:
        super().__init__(classes, most, overlap)
        self.levels = list(levels)

    def losses(
        self, scores: Float[Tensor, "rows places fields"], targets: Float[Tensor, "rows most 5"]
    ) -> Float[Tensor, " rows"]:
        """Return the loss of every row of raw scores."""
        owner = torch.cat([taught_places(targets, self.levels, k) for k in self._each], 1)
        row, place = (owner >= 0).nonzero(as_tuple=True)
        there = targets[row, owner[row, place]]
        truth = torch.zeros_like(scores[..., : self.classes])
        truth[row, place, there[:, 4].long()] = 1
        focal = sigmoid_focal(scores[..., : self.classes], truth).sum((1, 2))
        central = centre_ness(_distances(self._middles(scores)[place], there[:, :4]))
        wrong = central * apart(self.boxes(scores)[row, place], there[:, :4])
        unsure = F.binary_cross_entropy_with_logits(
            scores[row, place, -1], central, reduction="none"
        )
        zero = torch.zeros_like(focal)
        count, weight = (owner >= 0).sum(1).clamp_min(1), zero.index_add(0, row, central)
        of_size = zero.index_add(0, row, wrong) / weight.clamp_min(1e-6)
        return (focal + zero.index_add(0, row, unsure)) / count + of_size

    @property
    def _each(self) -> range:
        return range(len(self.levels))

    def _middles(self, scores: Tensor) -> Float[Tensor, "places 2"]:
        return torch.cat([middles(*level).flatten(0, 1) for level in self.levels]).to(scores)

    def boxes(self, scores: Float[Tensor, "rows places fields"]) -> Float[Tensor, "rows places 4"]:
        """Return the box that each place speaks of, in shares."""
        distance = scores[..., self.classes : self.classes + 4].clamp_max(LARGEST).exp()
        first, last = (self.usual / 2 * distance.unflatten(-1, (2, 2))).unbind(-2)
        middle = self._middles(scores)
        return torch.cat([middle - first, middle + last], -1)

    def forward(
        self, scores: Float[Tensor, "rows places fields"]
    ) -> Float[Tensor, "rows {self.most} 6"]:
        """Return the boxes of the surest places; -1 where there is none."""
        central = scores[..., -1:].sigmoid()
        sure = (scores[..., : self.classes].sigmoid() * central).sqrt().flatten(1)
        sure, where = sure.topk(min(CANDIDATES, sure.shape[1]))
        place, name = where // self.classes, where % self.classes
        boxes = self.boxes(scores).gather(1, place[..., None].expand(-1, -1, 4))
        return self.listed(boxes, torch.where(sure < LEAST, -1, sure), name)


def taught_places(
    boxes: Float[Tensor, "rows most 5"], levels: Sequence[tuple[int, int]], level: int
) -> Int64[Tensor, "rows places"]:
    """Return the box that each place of a level learns from, -1 for none.

    A box teaches the places inside of it that are at most 1.5 places from its middle, on the level
    where its farthest side is at most 8 places away and was more on the next finer one. Of several
    boxes the smallest counts.

    Args:
        boxes: shares of width and height, then the class; -1 where there is none.
        levels: height and width of each map, finest first.
        level: which of them.

    Source: Tian et al. 2019, section 3.2; 2020, section 3.1.

    >>> whole = torch.tensor([[[0.0, 0.0, 1.0, 1.0, 0.0]]])
    >>> taught_places(whole, [(1, 5)], 0).tolist()
    [[-1, 0, 0, 0, -1]]
    """
    place, size = (
        middles(*levels[level]).flatten(0, 1)[:, None],
        torch.tensor(levels[level]).flip(0),
    )
    corners = boxes[:, None, :, :4]
    away = ((place - centred(corners)[..., :2]) * size).abs().amax(-1)
    distances = _distances(place, corners)
    farthest = (distances * size.repeat(2)).amax(-1)
    fits = (boxes[:, None, :, 4] >= 0) & (distances.amin(-1) > 0) & (away <= RADIUS)
    if level + 1 < len(levels):
        fits &= farthest <= REACH
    if level:
        finer = torch.tensor(levels[level - 1]).flip(0).repeat(2)
        fits &= (distances * finer).amax(-1) > REACH
    areas = torch.where(fits, area(corners).expand_as(fits), torch.inf)
    return torch.where(fits.any(-1), areas.argmin(-1), -1)


def _distances(
    places: Float[Tensor, "*#boxes 2"], boxes: Float[Tensor, "*#boxes 4"]
) -> Float[Tensor, "*#boxes 4"]:
    """Return how far left, top, right and bottom are, negative outside of a box."""
    return torch.cat([places - boxes[..., :2], boxes[..., 2:] - places], -1)
