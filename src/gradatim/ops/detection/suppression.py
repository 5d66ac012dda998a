"""Non-maximum suppression: of boxes that mean the same thing, the most confident stays."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gradatim.ops.detection.boxes import iou

__all__ = ["non_maximum_suppression"]

_BLOCK = 1024  # boxes that are compared with one another at once


def non_maximum_suppression(
    boxes: Float[Tensor, "boxes 4"],
    confidences: Float[Tensor, " boxes"],
    classes: Int64[Tensor, " boxes"],
    threshold: float,
    most: int | None = None,
) -> Int64[Tensor, " kept"]:
    """Return which boxes stay, most confident first.

    Going down the confidences, a box goes when one of its class that stays overlaps it by more
    than the threshold. Of equal confidences the first box counts as the higher one.

    Args:
        boxes: left, top, right, bottom in any unit.
        confidences: in any unit, higher is surer.
        classes: boxes of different classes never meet.
        threshold: of the intersection over the union, in [0, 1].
        most: stop after that many.

    Source:
        Felzenszwalb et al. 2010, "Object detection with discriminatively trained part-based
        models", section 4.4; the fixed point: Zheng et al. 2020, "Enhancing geometric factors in
        model learning", section 3.4 (cluster NMS).

    Deviations:
        The same boxes as one by one, found a block at a time.

    >>> boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.75], [0.0, 0.0, 0.5, 0.5]])
    >>> non_maximum_suppression(boxes, torch.tensor([0.5, 0.75, 0.25]), torch.zeros(3).long(), 0.5)
    tensor([1, 2])
    """
    order = confidences.argsort(descending=True, stable=True)
    kept = order[:0]
    for block in order.split(_BLOCK):
        block = block[~_covered(boxes, classes, kept, block, threshold).any(0)]
        above = _covered(boxes, classes, block, block, threshold).triu(1)
        stays = torch.ones_like(block, dtype=torch.bool)
        # Each round settles at least one more box, from the top; some rounds are enough.
        while not torch.equal(stays, now := ~(above & stays[:, None]).any(0)):
            stays = now
        kept = torch.cat([kept, block[stays]])
        if most is not None and len(kept) >= most:
            return kept[:most]
    return kept


def _covered(
    boxes: Tensor, classes: Tensor, ours: Tensor, theirs: Tensor, threshold: float
) -> Tensor:
    """Tell which of our boxes overlaps which of theirs by more than the threshold."""
    same = classes[ours][:, None] == classes[theirs][None, :]
    return same & (iou(boxes[ours], boxes[theirs]) > threshold)
