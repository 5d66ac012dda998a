"""Heat maps of boxes: a bell around the middle of each, as targets for networks of maps.

A map covers the whole picture. Its places are counted in rows and columns; where they lie is said
in shares of the picture's width and height, as boxes are.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gradatim.ops.detection.boxes import area, centred

__all__ = ["LEAST", "SPREAD", "bells", "heat_maps", "middles", "owners"]

SPREAD = 0.54 / 6
"""Standard deviation of a bell as a share of its box's sides."""
LEAST = 0.01
"""Where a bell is lower, it is 0."""


def middles(height: int, width: int) -> Float[Tensor, "height width 2"]:
    """Return x and y of the middle of each place, as shares of the picture's width and height.

    >>> middles(1, 2).tolist()
    [[[0.25, 0.5], [0.75, 0.5]]]
    """
    x, y = ((torch.arange(n) + 0.5) / n for n in (width, height))
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def bells(
    boxes: Float[Tensor, "rows most 5"], height: int, width: int, spread: float = SPREAD
) -> Float[Tensor, "rows most height width"]:
    """Return a bell for each box, exactly 1 at the place that its middle falls into.

    exp(-(x - x_0)^2 / 2 s_x^2 - (y - y_0)^2 / 2 s_y^2), s a share of width and height of the box,
    no less than a third of a place.

    Args:
        boxes: shares of width and height, then the class; rows of -1 have no bell.
        height: of the map.
        width: of the map.
        spread: s as a share of a side.

    Source: Zhou, Wang & Krähenbühl 2019, "Objects as points", section 3; an ellipse for each box:
        Liu et al. 2020, "Training-time-friendly network for real-time object detection", section 3.

    >>> whole = torch.tensor([[[0.0, 0.0, 1.0, 1.0, 0.0]]])
    >>> bells(whole, 1, 3, spread=1 / 3)[0, 0, 0]  # exp(-1/2) a place away
    tensor([0.6065, 1.0000, 0.6065])
    """
    centre, size = centred(boxes[..., :4]).split(2, dim=-1)
    heights = []
    for axis, length in enumerate((width, height)):
        peak = (centre[..., axis] * length).floor().clamp(0, length - 1)
        deviation = (spread * size[..., axis] * length).clamp_min(1 / 3)
        away = torch.arange(length) - peak[..., None]
        heights.append(-((away / deviation[..., None]).square()) / 2)
    bell = (heights[1][..., :, None] + heights[0][..., None, :]).exp()
    real = (boxes[..., 4] >= 0)[..., None, None] & (bell >= LEAST)
    return torch.where(real, bell, torch.zeros_like(bell))


def heat_maps(
    bells: Float[Tensor, "rows most height width"],
    boxes: Float[Tensor, "rows most 5"],
    classes: int,
) -> Float[Tensor, "rows {classes} height width"]:
    """Return the highest bell of each class at each place, 0 where there is none.

    Args:
        bells: of the boxes.
        boxes: their last number is the class.
        classes: how many there are.
    """
    maps = [
        torch.where((boxes[..., 4] == c)[..., None, None], bells, torch.zeros_like(bells)).amax(1)
        for c in range(classes)
    ]
    return torch.stack(maps, dim=1)


def owners(
    bells: Float[Tensor, "rows most height width"], boxes: Float[Tensor, "rows most 5"]
) -> tuple[Int64[Tensor, "rows height width"], Float[Tensor, "rows height width"]]:
    """Return the box that each place teaches the size of, and how much it counts.

    Where bells overlap, a place belongs to the smallest box. It counts by the height of the bell,
    0 where there is none; the places of one box count 1 together.

    Args:
        bells: of the boxes.
        boxes: shares of width and height, then the class.

    Source: Liu et al. 2020, section 3.2.

    Deviations: large boxes count as much as small ones, where the paper takes the logarithm of the
        area.
    """
    areas = area(boxes[..., :4])[..., None, None].expand_as(bells)
    nothing = torch.full_like(bells, torch.inf)
    owner = torch.where(bells > 0, areas, nothing).argmin(1)
    weight, flat = bells.gather(1, owner[:, None])[:, 0].flatten(1), owner.flatten(1)
    total = torch.zeros(boxes.shape[:2]).to(weight).scatter_add_(1, flat, weight)
    shared = weight / total.gather(1, flat).clamp_min(LEAST)
    return owner, shared.view_as(owner)
