"""Which box that was found stands for which box that is there, at ten degrees of overlap.

A picture's matches are worked out once; whatever is scored of any set of pictures adds them up.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64

from gradatim.ops.detection.boxes import iou

__all__ = ["MOST", "THRESHOLDS", "matches", "matches_of_pictures", "partners", "unpacked"]

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""The least intersection over the union at which a box counts as found."""
MOST = 100
"""Boxes of a class that count in a picture; the least confident ones beyond them do not."""


def matches(
    found: Float[np.ndarray, "found 6"], there: Float[np.ndarray, "there 5"]
) -> Float64[np.ndarray, "found 3"]:
    """Return which boxes of one picture are hits.

    From the most confident box of a class to the least, each takes the box of that class it
    overlaps most among those not yet taken, provided that it overlaps it by the threshold; of
    equal overlaps the last. One that finds nothing to take is a false alarm.

    Args:
        found: left, top, right, bottom, confidence, class; rows of class -1 stand for nothing.
        there: left, top, right, bottom, class, in the same unit; likewise.

    Returns:
        Class, confidence and hits of every box found, in the same order. Hits are a number whose
        bit k tells of `THRESHOLDS[k]`. A row of -1 does not count.

    Source:
        Lin et al. 2014, "Microsoft COCO", and its evaluation code, `COCOeval.evaluateImg`.

    Deviations:
        No crowds, and boxes of all sizes count.

    >>> there = np.array([[0.0, 0.0, 1.0, 1.0, 0.0]])
    >>> found = np.array([[0.0, 0.0, 1.0, 0.75, 0.5, 0.0], [0.0, 0.0, 0.5, 0.5, 0.9, 0.0]])
    >>> matches(found, there).tolist()  # 0.75 is enough for six thresholds, 0.25 for none
    [[0.0, 0.5, 63.0], [0.0, 0.9, 0.0]]
    """
    taken = _partners(found, there)
    bits = (taken >= 0) @ (1 << np.arange(len(THRESHOLDS)))
    table = np.stack([found[:, 5], found[:, 4], bits], axis=1).astype(np.float64)
    table[_surplus(found)] = -1
    return table


def partners(
    found: Float[np.ndarray, "found 6"], there: Float[np.ndarray, "there 5"]
) -> Int64[np.ndarray, " found"]:
    """Return the number of the box that each box found stands for, at an overlap of one half.

    Args:
        found: as `matches` takes them.
        there: likewise.

    Returns:
        A row of `there`, -1 for a false alarm.

    >>> there = np.array([[0.0, 0.0, 1.0, 1.0, 0.0]])
    >>> partners(np.array([[0.0, 0.0, 1.0, 0.75, 0.5, 0.0], [0.0, 0.0, 0.5, 0.5, 0.9, 0.0]]), there)
    array([ 0, -1])
    """
    return _partners(found, there)[:, 0]


def _partners(found: np.ndarray, there: np.ndarray) -> Int64[np.ndarray, "found thresholds"]:
    """Return the number of the box that each box found takes, -1 for none."""
    # Overlaps at the thresholds are told apart in float64, whatever the boxes come in.
    ours, theirs = (torch.from_numpy(boxes[:, :4].astype(np.float64)) for boxes in (found, there))
    overlaps = np.where(found[:, 5:] == there[None, :, 4], iou(ours, theirs).numpy(), 0.0)
    overlaps[_surplus(found)] = 0
    taken = np.full((len(found), len(THRESHOLDS)), -1)
    free = np.ones((len(THRESHOLDS), len(there)), dtype=bool)
    order = np.argsort(-found[:, 4], kind="stable")
    for row in order[(overlaps[order] >= THRESHOLDS[0]).any(1)]:
        fits = np.where(free & (overlaps[row] >= THRESHOLDS[:, None]), overlaps[row], -1.0)
        last = len(there) - 1 - fits[:, ::-1].argmax(1)
        taken[row] = np.where(fits.max(1) >= 0, last, -1)
        free[taken[row] >= 0, last[taken[row] >= 0]] = False
    return taken


def _surplus(found: np.ndarray) -> Bool[np.ndarray, " found"]:
    """Tell which boxes do not count: no boxes at all, and those of a class beyond the first 100."""
    surplus = found[:, 5] < 0
    for name in np.unique(found[~surplus, 5]):
        rows = np.flatnonzero(found[:, 5] == name)
        surplus[rows[np.argsort(-found[rows, 4], kind="stable")][MOST:]] = True
    return surplus


def matches_of_pictures(
    found: Float[np.ndarray, "rows found 6"], there: Float[np.ndarray, "rows most 5"]
) -> Float64[np.ndarray, "rows found 3"]:
    """Return `matches` of each picture."""
    pairs = zip(found, there, strict=True)
    return np.stack([matches(*pair) for pair in pairs]) if len(found) else np.zeros((0, 0, 3))


def unpacked(hits: Float64[np.ndarray, "*boxes"]) -> Bool[np.ndarray, "*boxes thresholds"]:
    """Return the bits of `matches`, one column a threshold.

    >>> unpacked(np.array([3.0]))[0, :3].tolist()
    [True, True, False]
    """
    bits = np.maximum(hits, 0).astype(np.int64)[..., None] >> np.arange(len(THRESHOLDS))
    return (bits & 1).astype(bool)
