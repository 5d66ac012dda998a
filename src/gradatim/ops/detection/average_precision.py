"""Scores of boxes over many pictures: average precision and recall, the curve behind them, F1.

All of them read tables of matches (`ops.detection.box_matching`), a picture a row, and the classes
that are there, so any rows may be taken, repeated or left out: folds, bootstraps and slices need no
more.
"""

import numpy as np
from jaxtyping import Float64, Int64

from gradatim.ops.detection.box_matching import THRESHOLDS, unpacked

__all__ = [
    "CONFIDENT",
    "RECALLS",
    "average_precision",
    "average_recall",
    "f1",
    "f1_of_pictures",
    "precision_at_recall",
    "sweep",
]

RECALLS = np.linspace(0, 1, 101)
"""Where the curve of precision over recall is read."""
CONFIDENT = 0.5
"""The confidence from which on a box is shown, written out and counted by F1."""

Matches = Float64[np.ndarray, "rows found 3"]
"""Class, confidence and hits of every box found; -1 for none."""
Classes = Int64[np.ndarray, "rows most"]
"""The class of every box that is there; -1 for none."""


def precision_at_recall(
    matches: Matches, classes: Classes
) -> tuple[
    Float64[np.ndarray, "thresholds recalls kinds"], Float64[np.ndarray, "thresholds kinds"]
]:
    """Return the precision that is left where a recall is reached, and the highest recall.

    Boxes of all pictures are sorted by confidence; after the first n, precision is hits / n and
    recall is hits / boxes there. p(r) is the highest precision at any recall of r or more, 0
    where r is not reached.

    Args:
        matches: of `ops.detection.box_matching`.
        classes: of every box that is there.

    Returns:
        p at `RECALLS` and the recall of all boxes found, for each of `THRESHOLDS` and each class
        that is there, lowest class number first. Shares in [0, 1].

    Source:
        Lin et al. 2014, "Microsoft COCO", and its evaluation code, `COCOeval.accumulate`;
        Everingham et al. 2010, section 4.2, for the curve that never rises.

    Deviations:
        None; tests hold it against faster-coco-eval.
    """
    table = matches.reshape(-1, 3)
    there = np.unique(classes[classes >= 0])
    precisions = np.zeros((len(THRESHOLDS), len(RECALLS), len(there)))
    recalls = np.zeros((len(THRESHOLDS), len(there)))
    for k, name in enumerate(there):
        found = table[table[:, 0] == name]
        hits = unpacked(found[np.argsort(-found[:, 1], kind="stable"), 2]).cumsum(0)
        recall = hits / np.count_nonzero(classes == name)
        precision = hits / np.arange(1, len(hits) + 1)[:, None]
        highest = np.maximum.accumulate(precision[::-1])[::-1]
        for t in range(len(THRESHOLDS)):
            reached = np.searchsorted(recall[:, t], RECALLS, side="left")
            precisions[t, :, k] = np.append(highest[:, t], 0.0)[reached]
            recalls[t, k] = recall[-1, t] if len(recall) else 0.0
    return precisions, recalls


def average_precision(matches: Matches, classes: Classes, threshold: float | None = None) -> float:
    """Return the mean of p(r) over recalls, classes and thresholds.

    Args:
        matches: of `ops.detection.box_matching`.
        classes: of every box that is there.
        threshold: one of `THRESHOLDS`; None takes the mean over all of them, AP@[.5:.95].

    Returns:
        A share in [0, 1]; nan where nothing is there. Classes that are nowhere do not count.

    Source:
        As `precision_at_recall`; the numbers of faster-coco-eval's `COCOeval_faster`.

    Deviations:
        None.

    >>> found = np.array([[[0.0, 0.9, 1023.0], [0.0, 0.8, 0.0]]])  # a hit, then a false alarm
    >>> average_precision(found, np.array([[0, -1]]))
    1.0
    >>> round(average_precision(found, np.array([[0, 0]])), 4)  # 51 of the 101 recalls are reached
    0.505
    """
    precisions, _ = precision_at_recall(matches, classes)
    if threshold is not None:
        precisions = precisions[[int(np.abs(THRESHOLDS - threshold).argmin())]]
    return float(precisions.mean()) if precisions.size else float("nan")


def average_recall(matches: Matches, classes: Classes) -> float:
    """Return the mean over classes and thresholds of the share of boxes that are found at all.

    Returns:
        A share in [0, 1]; nan where nothing is there.

    Source:
        Lin et al. 2014; the AR with 100 boxes a picture of faster-coco-eval.

    Deviations:
        None.
    """
    _, recalls = precision_at_recall(matches, classes)
    return float(recalls.mean()) if recalls.size else float("nan")


def f1(matches: Matches, classes: Classes) -> float:
    """Return the F1 of boxes at a confidence and an overlap of at least one half.

    2 TP / (2 TP + FP + FN), the boxes of all classes and pictures together.

    Returns:
        A share in [0, 1]; nan where nothing is there and nothing was found.

    Source:
        van Rijsbergen 1979, chapter 7.

    Deviations:
        The confidence is fixed. Its best value, as `sweep` shows it, would be tuned on the very
        pictures that judge.

    >>> f1(np.array([[[0.0, 0.9, 1.0], [0.0, 0.8, 0.0], [0.0, 0.4, 0.0]]]), np.array([[0, -1]]))
    0.6666666666666666
    """
    hits, found, there = (counts.sum() for counts in _counts(matches, classes))
    return float(2 * hits / (found + there)) if found + there else float("nan")


def f1_of_pictures(matches: Matches, classes: Classes) -> Float64[np.ndarray, " rows"]:
    """Return `f1` of each picture; 1 where nothing is there and nothing was found."""
    hits, found, there = _counts(matches, classes)
    return np.where(found + there > 0, 2 * hits / np.maximum(found + there, 1), 1.0)


def _counts(matches: Matches, classes: Classes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return hits, boxes found and boxes there of each picture."""
    sure = (matches[..., 0] >= 0) & (matches[..., 1] >= CONFIDENT)
    hits = sure & unpacked(matches[..., 2])[..., 0]
    return hits.sum(1), sure.sum(1), (classes >= 0).sum(1)


def sweep(matches: Matches, classes: Classes) -> dict[str, Float64[np.ndarray, " steps"]]:
    """Return precision, recall and F1 at an overlap of one half, confidence by confidence.

    Args:
        matches: of `ops.detection.box_matching`.
        classes: of every box that is there.

    Returns:
        "confidence", falling, one entry for each that occurs, and at it "precision", "recall" and
        "f1" of the boxes that are at least as sure; all classes together.
    """
    table = matches.reshape(-1, 3)
    table = table[table[:, 0] >= 0]
    table = table[np.argsort(-table[:, 1], kind="stable")]
    # Boxes of one confidence come or go together: the last of them speaks for all.
    ends = np.flatnonzero(np.append(np.diff(table[:, 1]) != 0, True)[: len(table)])
    hits, found = unpacked(table[:, 2])[:, 0].cumsum()[ends], ends + 1
    there = np.count_nonzero(classes >= 0)
    return {
        "confidence": table[ends, 1],
        "precision": hits / found,
        "recall": hits / max(there, 1),
        "f1": 2 * hits / (found + there),
    }
