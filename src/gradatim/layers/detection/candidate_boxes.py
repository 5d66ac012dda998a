"""Candidates of boxes to answers: the last step of detectors that judge many boxes one by one."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from gradatim.layers.detection.found_boxes import BoxAnswers
from gradatim.ops.detection.boxes import centred, cornered, iou

__all__ = ["Candidates", "best_partners", "moved", "moves_between"]


class Candidates(BoxAnswers):
    """Keep the most confident of the candidates that overlap."""

    def fit(self, targets: Float[Tensor, "rows most 5"]) -> "Candidates":
        """Learn nothing."""
        return self

    def forward(
        self, candidates: Float[Tensor, "rows candidates 6"]
    ) -> Float[Tensor, "rows {self.most} 6"]:
        """Return the boxes that stay; a candidate with a confidence of -1 is none."""
        boxes, confidences, classes = candidates.float().split([4, 1, 1], dim=2)
        return self.listed(boxes, confidences[..., 0], classes[..., 0].long())


def moved(
    boxes: Float[Tensor, "boxes 4"], moves: Float[Tensor, "boxes 4"]
) -> Float[Tensor, "boxes 4"]:
    """Return boxes shifted by shares of their sides and stretched by powers of e.

    x' = x + m_x w, y' = y + m_y h, w' = w e^m_w, h' = h e^m_h for the centre x, y. At most half a
    side and a factor e, so that no move leads far away.

    Args:
        boxes: left, top, right, bottom in any unit.
        moves: m_x, m_y, m_w, m_h.

    Source:
        Girshick et al. 2014, "Rich feature hierarchies", appendix C.

    >>> moved(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[0.5, 0.0, 0.0, 0.0]])).tolist()
    [[1.0, 0.0, 3.0, 2.0]]
    """
    centre, side = centred(boxes).split(2, dim=1)
    shift, stretch = moves.split(2, dim=1)
    centre = centre + shift.clamp(-0.5, 0.5) * side
    return cornered(torch.cat([centre, side * stretch.clamp(-1, 1).exp()], dim=1))


def moves_between(
    ours: Float[Tensor, "boxes 4"], theirs: Float[Tensor, "boxes 4"]
) -> Float[Tensor, "boxes 4"]:
    """Return the moves that lead from boxes to others: the inverse of `moved`, without its limits.

    Args:
        ours: boxes with area.
        theirs: boxes with area, in the same unit.

    >>> box = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    >>> moves_between(box, torch.tensor([[1.0, 0.0, 3.0, 2.0]])).tolist()
    [[0.5, 0.0, 0.0, 0.0]]
    """
    (x, side), (y, other) = (b.split(2, dim=1) for b in map(centred, (ours, theirs)))
    return torch.cat([(y - x) / side, (other / side).log()], dim=1)


def best_partners(
    boxes: Float64[Tensor, "boxes 4"], targets: Float[Tensor, "most 5"]
) -> tuple[Float64[Tensor, " boxes"], Float64[Tensor, "boxes 5"]]:
    """Return the box there that each box overlaps most.

    Args:
        boxes: of candidates, in shares.
        targets: what is there, with its class; rows of -1 are nothing.

    Returns:
        The intersections over the unions, and the boxes there with their classes: -1 and no
        overlap where nothing is there.
    """
    there = targets[targets[:, 4] >= 0].double()
    if not len(there):
        return boxes.new_zeros(len(boxes)), boxes.new_full((len(boxes), 5), -1.0)
    best, partner = iou(boxes, there[:, :4]).max(1)
    return best, there[partner]
