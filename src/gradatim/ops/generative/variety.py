"""Are all kinds drawn, and are they new? Coverage of classes, distance to the nearest row."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["coverage", "nearest_distances", "novelty"]

BLOCK = 1024
"""Rows whose distances are computed at a time."""


def coverage(drawn: np.ndarray, real: np.ndarray) -> float:
    """Return the share of the classes that are drawn at least half, at most twice as often as seen.

    Args:
        drawn: the class that a classifier gives each new row, -1 where there are no classes.
        real: that it gives each row that is there.

    Returns:
        From 0 to 1, over the classes among the rows that are there; NaN without classes.

    >>> coverage(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2]))
    0.6666666666666666
    """
    if not len(real) or not len(drawn) or real.min() < 0:
        return float("nan")
    classes = int(max(drawn.max(), real.max())) + 1
    said = np.bincount(drawn.astype(np.int64), minlength=classes) / len(drawn)
    meant = np.bincount(real.astype(np.int64), minlength=classes) / len(real)
    seen = meant > 0
    fair = (said[seen] >= meant[seen] / 2) & (said[seen] <= 2 * meant[seen])
    return float(fair.mean())


def novelty(drawn: np.ndarray, real: np.ndarray) -> float:
    """Return the median of the new rows' distances over the median of the others'.

    Args:
        drawn: from each new row to the nearest training row.
        real: from each unseen real row to the nearest training row.

    Returns:
        Below 1 where training rows are repeated, 1 where new rows are as new as unseen ones, more
        where they lie far from everything; NaN where training rows are not known.

    >>> novelty(np.array([1.0, 1.0, 4.0]), np.array([2.0, 2.0]))
    0.5
    """
    usual = np.median(real) if len(real) else np.nan
    if not usual > 0:
        return float("nan")
    return float(np.median(drawn) / usual)


def nearest_distances(
    x: Float[Tensor, "rows features"],
    known: Float[Tensor, "many features"],
    besides: bool = False,
) -> Float[Tensor, " rows"]:
    """Return the Euclidean distance from each row to the nearest known one; NaN if there is none.

    Args:
        x: rows.
        known: those that they are compared with.
        besides: whether a known row at distance 0 is the row itself and does not count, once.

    >>> nearest_distances(torch.tensor([[0.0, 3.0]]), torch.tensor([[4.0, 0.0], [0.0, 1.0]]))
    tensor([2.])
    """
    if len(known) <= besides:
        return x.new_full((len(x),), float("nan"))
    return torch.cat([_nearest(part, known, besides) for part in x.split(BLOCK)])


def _nearest(
    x: Float[Tensor, "rows features"], known: Float[Tensor, "many features"], besides: bool
) -> Float[Tensor, " rows"]:
    """Distances by products lose digits where they are small: the nearest are computed again."""
    near = torch.cdist(x, known).topk(1 + besides, dim=1, largest=False).indices
    distances = (x[:, None] - known[near]).norm(dim=2).sort(dim=1).values
    return (
        distances[:, 0]
        if not besides
        else torch.where(distances[:, 0] == 0, distances[:, 1], distances[:, 0])
    )
