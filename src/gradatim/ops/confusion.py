"""Tables behind the scores: confusion, precision and recall by class, the reliability diagram."""

import numpy as np

from gradatim.ops.checked import labels, probable

__all__ = ["calibration_curve", "confusion", "per_class"]


def confusion(predicted: np.ndarray, targets: np.ndarray, classes: int) -> np.ndarray:
    """Return how often each class was taken for each other.

    C_jk = #(y = j, predicted k).

    Args:
        predicted: (rows,), integers in [0, classes).
        targets: (rows,), integers in [0, classes).
        classes: how many classes there are.

    Returns:
        (classes, classes) int64; a row is a true class, a column a predicted one.

    Raises:
        ValueError: lengths that differ, or an unknown class.

    Source:
        Definition; `sklearn.metrics.confusion_matrix`.

    Deviations:
        None.

    >>> confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    predicted, targets = labels(predicted, classes), labels(targets, classes)
    if len(predicted) != len(targets):
        raise ValueError(f"{len(predicted)} predicted classes but {len(targets)} targets")
    counts = np.bincount(targets * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes)


def per_class(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return precision, recall, F1 and support of each class.

    TP / (TP + FP), TP / (TP + FN), 2 TP / (2 TP + FP + FN), TP + FN.

    Args:
        table: (classes, classes) counts from `confusion`.

    Returns:
        Four arrays (classes,): shares in [0, 1], and support as counts. 0 / 0 is nan: precision
        of a class never predicted, recall of a class without rows, F1 of one that is neither.

    Raises:
        ValueError: a table that is not square.

    Source:
        `sklearn.metrics.precision_recall_fscore_support(zero_division=nan)`.

    Deviations:
        None.

    >>> precision, recall, f, support = per_class(np.array([[1, 1], [0, 2]]))
    >>> recall.tolist(), support.tolist()
    ([0.5, 1.0], [2, 2])
    """
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ValueError(f"a confusion table is square, got shape {table.shape}")
    hits, support, taken = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return hits / taken, hits / support, 2 * hits / (support + taken), support


def calibration_curve(
    probabilities: np.ndarray, targets: np.ndarray, bins: int = 10
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return confidence and accuracy of the most probable class, bin by bin of confidence.

    Bin b holds the rows with b / bins < max_k p_ik <= (b + 1) / bins.

    Args:
        probabilities: (rows, classes), in [0, 1], each row summing to one.
        targets: (rows,), integers in [0, classes).
        bins: how many bins of equal width, >= 1.

    Returns:
        (confidence, accuracy, count), each (bins,): two means in [0, 1], nan where a bin is
        empty, and the number of rows.

    Raises:
        ValueError: as in `log_loss`, or `bins` below one.

    Source:
        Guo et al. 2017, section 2 and figure 1 (the reliability diagram).

    Deviations:
        None.

    >>> confidence, share, count = calibration_curve(
    ...     np.array([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 1]), bins=2)
    >>> confidence[1], share[1], count.tolist()
    (np.float64(0.75), np.float64(0.5), [0, 2])
    """
    if bins < 1:
        raise ValueError(f"bins is {bins}; give one or more")
    probabilities, targets = probable(probabilities, targets)
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], top, side="left")
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, weights=top, minlength=bins) / count
        return confidence, np.bincount(place, weights=right, minlength=bins) / count, count
