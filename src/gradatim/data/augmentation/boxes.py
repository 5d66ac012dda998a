"""Boxes follow the pictures that they lie on."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["LEFT_OVER", "followed"]

LEFT_OVER = 0.25
"""Share of a box's area that must still be in the picture; a smaller rest is no object any more."""

CORNERS = torch.tensor([[0, 1], [2, 1], [0, 3], [2, 3]])


def followed(
    boxes: Float[Tensor, "rows most 5"], sources: Float[Tensor, "rows 2 3"]
) -> Float[Tensor, "rows most 5"]:
    """Return the upright boxes around the moved corners of each box, cut at the border.

    Args:
        boxes: shares of width and height, then the class; -1 where there is none.
        sources: A and b of each picture, as `geometry.placed` has them: what is seen at z in
            [-1, 1]^2 was at A z + b, so a corner c goes to A^-1 (c - b).

    Returns:
        Boxes in the same places; one with less than a quarter of its area left is -1.
    """
    back = torch.linalg.inv(sources[:, :, :2])
    corners = 2 * boxes[..., CORNERS] - 1  # rows most 4 2
    seen = (corners - sources[:, None, None, :, 2]) @ back.transpose(1, 2)[:, None]
    low, high = ((edge + 1) / 2 for edge in (seen.amin(2), seen.amax(2)))
    inside = torch.cat([low.clamp(0, 1), high.clamp(0, 1)], 2)
    left = (inside[..., 2:] - inside[..., :2]).prod(2)
    kept = (boxes[..., 4] >= 0) & (left > LEFT_OVER * (high - low).prod(2))
    moved = torch.cat([inside, boxes[..., 4:]], 2)
    return torch.where(kept[..., None], moved, torch.full_like(moved, -1))
