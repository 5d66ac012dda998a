"""Scores of probabilities (rows, classes) against integer targets (rows,).

An undefined score is nan, never a guess.
"""

import numpy as np

from gradatim.ops.checked import classified, probable
from gradatim.ops.confusion import calibration_curve, confusion, per_class

__all__ = ["accuracy", "auc", "balanced_accuracy", "brier", "ece", "f1", "log_loss"]

SMALLEST = 2.0**-52  # below it a probability counts as this: one sure mistake costs 36 nats


def accuracy(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the share of rows whose most probable class is the right one.

    mean of [argmax_k p_ik = y_i].

    Args:
        probabilities: (rows, classes), finite; any score that ranks the classes will do.
        targets: (rows,), integers in [0, classes).

    Returns:
        A share in [0, 1]; higher is better.

    Raises:
        ValueError: no rows, shapes that do not fit, values not finite, or an unknown class.

    Source:
        Definition; `sklearn.metrics.accuracy_score`.

    Deviations:
        A tie goes to the first class.

    >>> accuracy(np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]]), np.array([0, 1, 1]))
    0.6666666666666666
    """
    probabilities, targets = classified(probabilities, targets)
    return float(np.mean(probabilities.argmax(axis=1) == targets))


def balanced_accuracy(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean recall of the classes, so that a rare class weighs as much as a common one.

    mean over classes k of #(y = k, predicted k) / #(y = k).

    Args:
        probabilities: (rows, classes), finite.
        targets: (rows,), integers in [0, classes).

    Returns:
        A share in [0, 1]; higher is better; 1 / classes is chance.

    Raises:
        ValueError: as in `accuracy`.

    Source:
        Brodersen et al. 2010; `sklearn.metrics.balanced_accuracy_score`.

    Deviations:
        A class without rows has no recall and is left out of the mean, as in scikit-learn.

    >>> balanced_accuracy(np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]), np.array([0, 0, 1]))
    0.5
    """
    return float(np.nanmean(per_class(_confused(probabilities, targets))[1]))


def f1(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the macro F1: each class's balance of precision and recall, averaged over classes.

    mean over classes of 2 TP / (2 TP + FP + FN).

    Args:
        probabilities: (rows, classes), finite.
        targets: (rows,), integers in [0, classes).

    Returns:
        A share in [0, 1]; higher is better.

    Raises:
        ValueError: as in `accuracy`.

    Source:
        van Rijsbergen 1979; `sklearn.metrics.f1_score(average="macro")`.

    Deviations:
        A class that is neither present nor predicted is left out, as in scikit-learn.

    >>> f1(np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]), np.array([0, 0, 1]))
    1.0
    """
    return float(np.nanmean(per_class(_confused(probabilities, targets))[2]))


def auc(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the probability that a row of a class outranks a row of another.

    (sum of ranks of the P positives - P (P + 1) / 2) / (P N), ties sharing their mean rank.

    Args:
        probabilities: (rows, classes), finite; any score that ranks will do.
        targets: (rows,), integers in [0, classes).

    Returns:
        In [0, 1]; higher is better; 0.5 is chance. Two classes: of class 1. More: each class
        against the rest, averaged over the classes present. nan when one class is present.

    Raises:
        ValueError: as in `accuracy`.

    Source:
        Mann & Whitney 1947; Hanley & McNeil 1982; `sklearn.metrics.roc_auc_score`.

    Deviations:
        A class without rows is left out of the mean; scikit-learn has no value then.

    >>> auc(np.array([[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]]), np.array([0, 0, 1, 1]))
    0.75
    """
    probabilities, targets = classified(probabilities, targets)
    present = np.unique(targets)
    if len(present) < 2:
        return float("nan")
    classes = [1] if probabilities.shape[1] == 2 else present
    return float(np.mean([_rank_auc(probabilities[:, k], targets == k) for k in classes]))


def log_loss(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean surprise at the right class.

    mean of -log max(p_{i, y_i}, 2^-52).

    Args:
        probabilities: (rows, classes), in [0, 1], each row summing to one.
        targets: (rows,), integers in [0, classes).

    Returns:
        Nats in [0, 36.05]; lower is better; log(classes) is an even guess.

    Raises:
        ValueError: as in `accuracy`, or rows that are no probabilities (logits, say).

    Source:
        Good 1952, "Rational decisions"; `sklearn.metrics.log_loss`.

    Deviations:
        The bound is the same for every precision; scikit-learn's follows the array's type.

    >>> round(log_loss(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1])), 4)
    0.4904
    """
    probabilities, targets = probable(probabilities, targets)
    right = probabilities[np.arange(len(targets)), targets]
    return float(-np.mean(np.log(np.clip(right, SMALLEST, 1.0))))


def brier(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean squared distance between the probabilities and the truth, halved.

    mean over rows of 1/2 sum_k (p_ik - [y_i = k])^2; with two classes (p_i1 - y_i)^2.

    Args:
        probabilities: (rows, classes), in [0, 1], each row summing to one.
        targets: (rows,), integers in [0, classes).

    Returns:
        In [0, 1]; lower is better.

    Raises:
        ValueError: as in `log_loss`.

    Source:
        Brier 1950; `sklearn.metrics.brier_score_loss(scale_by_half=True)`.

    Deviations:
        Brier's own sum is not halved. Halving keeps [0, 1] for any number of classes.

    >>> brier(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1]))
    0.15625
    """
    probabilities, targets = probable(probabilities, targets)
    truth = np.eye(probabilities.shape[1])[targets]
    return float(np.mean(np.sum((probabilities - truth) ** 2, axis=1)) / 2)


def ece(probabilities: np.ndarray, targets: np.ndarray, bins: int = 15) -> float:
    """Return how far confidence lies from accuracy (expected calibration error).

    sum over bins b of n_b / n |accuracy_b - confidence_b|.

    Args:
        probabilities: (rows, classes), in [0, 1], each row summing to one.
        targets: (rows,), integers in [0, classes).
        bins: how many bins of equal width, >= 1.

    Returns:
        In [0, 1]; lower is better. It moves with `bins`: show `brier` and `log_loss` beside it.

    Raises:
        ValueError: as in `log_loss`, or `bins` below one.

    Source:
        Guo et al. 2017, "On calibration of modern neural networks", equation 3.

    Deviations:
        None.

    >>> round(ece(np.array([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 1])), 6)
    0.25
    """
    confidence, share, count = calibration_curve(probabilities, targets, bins)
    gaps = np.abs(share - confidence)[count > 0]
    return float(gaps @ count[count > 0] / count.sum())


def _rank_auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the area under one class's curve from mean ranks; both kinds of rows are present."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    hits = int(positive.sum())
    wins = ranks[positive].sum() - hits * (hits + 1) / 2
    return float(wins / (hits * (len(scores) - hits)))


def _confused(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the confusion of the most probable classes."""
    probabilities, targets = classified(probabilities, targets)
    return confusion(probabilities.argmax(axis=1), targets, probabilities.shape[1])
