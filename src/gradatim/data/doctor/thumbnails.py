"""Near duplicates among pictures: 8 x 8 thumbnails first, then every pixel.

A thumbnail is the picture averaged over an 8 x 8 grid, each channel by itself, minus its mean and
scaled to length 1, so d^2 = 2 (1 - correlation): brightness and contrast do not count. Two pictures
are near duplicates when their thumbnails are nearer than a tenth of the typical distance (see
`gradatim.data.doctor.neighbours`) and all their pixels correlate by 0.97 or more.

This finds copies that were compressed again, resized or lightly changed in brightness. It does not
find crops, turns and mirror images.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gradatim.data.doctor.typical import radius

__all__ = ["picture_pairs"]

SIDE = 8
MOST = 0.1  # nearest thumbnails of different handwritten digits come down to 0.19 of the typical
ALIKE = 0.97
BLOCK = 1_000
PART = 100  # pictures that are held as floats at once


def picture_pairs(pictures: Tensor, rows: Tensor) -> np.ndarray | None:
    """Return pairs of places in `rows`, shape (pairs, 2), or None for more pairs than rows."""
    small = torch.cat([_unit(_thumbnails(pictures[part])) for part in rows.split(PART)])
    reach = radius(small.numpy(), MOST)
    found = [torch.empty((0, 2), dtype=torch.int64)]
    for start in range(0, len(small) if reach else 0, BLOCK):
        found.append(_near(small, start, 1 - reach**2 / 2))
        if sum(map(len, found)) > 10 * len(rows):
            return None
    pairs = torch.cat(found)
    pairs = torch.cat([part[_alike(pictures, rows[part])] for part in pairs.split(PART)])
    return pairs.numpy() if len(pairs) <= len(rows) else None


def _thumbnails(pictures: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(pictures.to(torch.float32), SIDE)


def _unit(pictures: Tensor) -> Tensor:
    """Return flat pictures of mean 0 and length 1; plain ones become zeros, near to nothing."""
    flat = pictures.flatten(1).to(torch.float32)
    flat = flat - flat.mean(1, keepdim=True)
    length = flat.norm(dim=1, keepdim=True)
    return torch.where(length > 1e-3, flat / length.clamp_min(1e-3), 0.0)


def _near(small: Tensor, start: int, bound: float) -> Tensor:
    """Return pairs whose first row is in the block at `start` and whose second comes later."""
    products = small[start : start + BLOCK] @ small[start:].T
    places = torch.nonzero(products >= bound)
    return places[places[:, 1] > places[:, 0]] + start


def _alike(pictures: Tensor, pairs: Tensor) -> Tensor:
    """Tell which pairs correlate over all pixels."""
    one, other = (_unit(pictures[pairs[:, side]]) for side in (0, 1))
    return (one * other).sum(1) >= ALIKE
