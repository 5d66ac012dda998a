"""Boxes: left, top, right, bottom. Areas, overlaps and the two ways to write a box.

Any unit will do as long as it is the same for all boxes that meet. A share of a picture's width and
height is as good as a pixel: overlaps do not change when an axis is stretched.
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "area",
    "centred",
    "clip",
    "cornered",
    "giou",
    "giou_of_pairs",
    "iou",
    "iou_of_pairs",
]


def area(boxes: Float[Tensor, "*boxes 4"]) -> Float[Tensor, "*boxes"]:
    """Return width times height, 0 for a box whose sides are swapped.

    >>> area(torch.tensor([[0.0, 0.0, 2.0, 3.0], [1.0, 0.0, 0.0, 1.0]])).tolist()
    [6.0, 0.0]
    """
    return (boxes[..., 2:] - boxes[..., :2]).clamp_min(0).prod(-1)


def clip(boxes: Float[Tensor, "*boxes 4"]) -> Float[Tensor, "*boxes 4"]:
    """Return what of boxes in shares lies on the picture: every number in [0, 1].

    A box that lies outside has no area afterwards. Rows of -1 that stand for no box would become
    one at the corner: leave them out.

    >>> clip(torch.tensor([[-0.5, 0.25, 0.5, 1.5]])).tolist()
    [[0.0, 0.25, 0.5, 1.0]]
    """
    return boxes.clamp(0, 1)


def cornered(boxes: Float[Tensor, "*boxes 4"]) -> Float[Tensor, "*boxes 4"]:
    """Return left, top, right, bottom of boxes that are given by centre, width and height.

    Args:
        boxes: x and y of the centre, width, height.

    >>> cornered(torch.tensor([[0.5, 0.5, 0.5, 0.25]])).tolist()
    [[0.25, 0.375, 0.75, 0.625]]
    """
    centre, size = boxes.split(2, dim=-1)
    return torch.cat([centre - size / 2, centre + size / 2], dim=-1)


def centred(boxes: Float[Tensor, "*boxes 4"]) -> Float[Tensor, "*boxes 4"]:
    """Return x and y of the centre, width and height: the inverse of `cornered`.

    >>> centred(torch.tensor([[0.25, 0.375, 0.75, 0.625]])).tolist()
    [[0.5, 0.5, 0.5, 0.25]]
    """
    first, last = boxes.split(2, dim=-1)
    return torch.cat([(first + last) / 2, last - first], dim=-1)


def iou_of_pairs(
    ours: Float[Tensor, "*#boxes 4"], theirs: Float[Tensor, "*#boxes 4"]
) -> Float[Tensor, "*#boxes"]:
    """Return the intersection over the union of each box with its partner.

    |A and B| / |A or B|, in [0, 1]; 0 for two boxes without area.

    Args:
        ours: A.
        theirs: B, in the same unit; shapes that differ are broadcast.

    Source:
        Jaccard 1912; Everingham et al. 2010, "The PASCAL visual object classes challenge",
        section 4.2.

    Deviations:
        A corner is a point, not a pixel: no side is longer by 1 as in the code of the challenge.

    >>> one, other = torch.tensor([0.0, 0.0, 2.0, 2.0]), torch.tensor([1.0, 0.0, 3.0, 2.0])
    >>> round(iou_of_pairs(one, other).item(), 4)  # 2 of 6
    0.3333
    """
    common, union = _common(ours, theirs)
    return common / _positive(union)


def giou_of_pairs(
    ours: Float[Tensor, "*#boxes 4"], theirs: Float[Tensor, "*#boxes 4"]
) -> Float[Tensor, "*#boxes"]:
    """Return the generalised intersection over the union of each box with its partner.

    |A and B| / |A or B| - (|C| - |A or B|) / |C|, C the smallest box around both; in [-1, 1]. It
    still says how far apart two boxes are that do not meet, so 1 - giou is a loss with a slope.

    Args:
        ours: A.
        theirs: B, in the same unit; shapes that differ are broadcast.

    Source:
        Rezatofighi et al. 2019, "Generalized intersection over union", algorithm 1.

    Deviations:
        0 for two boxes that lie on one line, where the paper divides 0 by 0.

    >>> one, other = torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([2.0, 0.0, 3.0, 1.0])
    >>> round(giou_of_pairs(one, other).item(), 4)  # 0 - (3 - 2) / 3
    -0.3333
    """
    common, union = _common(ours, theirs)
    first = torch.minimum(ours[..., :2], theirs[..., :2])
    last = torch.maximum(ours[..., 2:], theirs[..., 2:])
    hull = area(torch.cat([first, last], dim=-1))
    return common / _positive(union) - (hull - union) / _positive(hull)


def iou(
    ours: Float[Tensor, "*batch ours 4"], theirs: Float[Tensor, "*batch theirs 4"]
) -> Float[Tensor, "*batch ours theirs"]:
    """Return `iou_of_pairs` of every box with every other.

    >>> boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5]])
    >>> iou(boxes, boxes).tolist()
    [[1.0, 0.25], [0.25, 1.0]]
    """
    return iou_of_pairs(ours[..., :, None, :], theirs[..., None, :, :])


def giou(
    ours: Float[Tensor, "*batch ours 4"], theirs: Float[Tensor, "*batch theirs 4"]
) -> Float[Tensor, "*batch ours theirs"]:
    """Return `giou_of_pairs` of every box with every other.

    >>> boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.5, 0.0, 1.0, 1.0]])
    >>> giou(boxes, boxes).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    return giou_of_pairs(ours[..., :, None, :], theirs[..., None, :, :])


def _common(ours: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the areas of intersection and union."""
    first = torch.maximum(ours[..., :2], theirs[..., :2])
    last = torch.minimum(ours[..., 2:], theirs[..., 2:])
    common = area(torch.cat([first, last], dim=-1))
    return common, area(ours) + area(theirs) - common


def _positive(areas: Tensor) -> Tensor:
    """Return a divisor that is never 0, so that nothing of nothing is 0 and has no slope."""
    return torch.where(areas > 0, areas, 1)
