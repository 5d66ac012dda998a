"""Scores of predictions, in NumPy alone.

Classification reads `probabilities` (rows, classes) and integer `targets` (rows,); regression
reads `predictions` (rows,) and `targets` (rows,). An undefined score is nan, never a guess.
"""

import numpy as np

from gradatim.core.metric import Metric

__all__ = [
    "CLASSIFICATION",
    "REGRESSION",
    "Metric",
    "accuracy",
    "auc",
    "balanced_accuracy",
    "brier",
    "calibration_curve",
    "confusion",
    "ece",
    "f1",
    "log_loss",
    "mae",
    "per_class",
    "r2",
    "rmse",
]

SMALLEST = 2.0**-52  # below it a probability counts as this: one sure mistake costs 36 nats
SUM_TOLERANCE = 1e-2  # bfloat16 keeps 8 bits, so an honest softmax sums to 1 +- 2**-8


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
    probabilities, targets = _classified(probabilities, targets)
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
    probabilities, targets = _classified(probabilities, targets)
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
    probabilities, targets = _probable(probabilities, targets)
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
    probabilities, targets = _probable(probabilities, targets)
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


def rmse(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Return the typical error, large ones weighing more.

    sqrt(mean of (prediction - target)^2).

    Args:
        predictions: (rows,), finite, in the target's unit.
        targets: (rows,), finite.

    Returns:
        >= 0 in the target's unit; lower is better.

    Raises:
        ValueError: no rows, shapes that differ, or values not finite.

    Source:
        Definition; `sklearn.metrics.root_mean_squared_error`.

    Deviations:
        None.

    >>> rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.4142135623730951
    """
    predictions, targets = _quantities(predictions, targets)
    return float(np.sqrt(np.mean((predictions - targets) ** 2)))


def mae(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean error without sign.

    mean of |prediction - target|.

    Args:
        predictions: (rows,), finite, in the target's unit.
        targets: (rows,), finite.

    Returns:
        >= 0 in the target's unit; lower is better.

    Raises:
        ValueError: as in `rmse`.

    Source:
        Definition; `sklearn.metrics.mean_absolute_error`.

    Deviations:
        None.

    >>> mae(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.0
    """
    predictions, targets = _quantities(predictions, targets)
    return float(np.mean(np.abs(predictions - targets)))


def r2(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Return the share of the targets' variance that the predictions explain.

    1 - sum (target - prediction)^2 / sum (target - mean)^2.

    Args:
        predictions: (rows,), finite, in the target's unit.
        targets: (rows,), finite.

    Returns:
        At most one, without unit; higher is better; 0 is these rows' mean. nan when the targets
        are all the same (one row, too).

    Raises:
        ValueError: as in `rmse`.

    Source:
        Wright 1921; `sklearn.metrics.r2_score`.

    Deviations:
        Constant targets give nan; scikit-learn says 0 or 1.

    >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    0.7857142857142857
    """
    predictions, targets = _quantities(predictions, targets)
    if np.ptp(targets) == 0:
        return float("nan")
    scale = np.ptp(targets)  # squares of tiny or huge units would leave the range of floats
    errors, spread = (targets - predictions) / scale, (targets - targets.mean()) / scale
    return float(1 - np.sum(errors**2) / np.sum(spread**2))


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
    predicted, targets = _labels(predicted, classes), _labels(targets, classes)
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
    probabilities, targets = _probable(probabilities, targets)
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], top, side="left")
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, weights=top, minlength=bins) / count
        return confidence, np.bincount(place, weights=right, minlength=bins) / count, count


def _rank_auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the area under one class's curve from mean ranks; both kinds of rows are present."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    hits = int(positive.sum())
    wins = ranks[positive].sum() - hits * (hits + 1) / 2
    return float(wins / (hits * (len(scores) - hits)))


def _confused(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the confusion of the most probable classes."""
    probabilities, targets = _classified(probabilities, targets)
    return confusion(probabilities.argmax(axis=1), targets, probabilities.shape[1])


def _probable(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both arrays, checked to be probabilities and classes."""
    probabilities, targets = _classified(probabilities, targets)
    low, high = probabilities.min(), probabilities.max()
    off = np.abs(probabilities.sum(axis=1) - 1).max()
    if low < 0 or off > SUM_TOLERANCE:
        raise ValueError(
            f"not probabilities: values from {low:.4g} to {high:.4g}, a row's sum off by {off:.4g};"
            " pass the outputs through a softmax first"
        )
    return probabilities, targets


def _classified(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float64 scores and int64 targets that fit together."""
    probabilities = _finite("probabilities", probabilities)
    if probabilities.ndim != 2 or len(probabilities) != len(targets):
        raise ValueError(
            f"probabilities have shape {probabilities.shape} for {len(targets)} targets; "
            "expected (rows, classes) with as many rows"
        )
    return probabilities, _labels(targets, probabilities.shape[1])


def _labels(values: np.ndarray, classes: int) -> np.ndarray:
    """Return classes as int64, checked to lie in [0, classes)."""
    values = np.asarray(values)
    if values.ndim != 1 or values.dtype.kind not in "iub":
        raise ValueError(f"classes are integers (rows,), got {values.dtype} {values.shape}")
    if len(values) and not (values.min() >= 0 and values.max() < classes):
        raise ValueError(
            f"class {values.min()} to {values.max()} in the data, but 0 to {classes - 1} are known"
        )
    return values.astype(np.int64)


def _quantities(predictions: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float64 predictions and targets of one shape: (rows, 1) would broadcast silently."""
    predictions, targets = _finite("predictions", predictions), _finite("targets", targets)
    if predictions.ndim != 1 or predictions.shape != targets.shape:
        raise ValueError(
            f"predictions have shape {predictions.shape}, targets {targets.shape}; "
            "expected (rows,) for both"
        )
    return predictions, targets


def _finite(name: str, values: np.ndarray) -> np.ndarray:
    """Return float64 values, checked to be there and finite."""
    values = np.asarray(values, dtype=np.float64)
    lost = int(np.count_nonzero(~np.isfinite(values)))
    if lost or not values.size:
        raise ValueError(
            f"{lost} of {values.size} {name} are not finite; a score needs one row or more, all "
            "finite: see where the model diverged"
        )
    return values


CLASSIFICATION: dict[str, Metric] = {
    "accuracy": Metric("accuracy", "higher", True, accuracy),
    "balanced_accuracy": Metric("balanced_accuracy", "higher", True, balanced_accuracy),
    "f1": Metric("f1", "higher", True, f1),
    "auc": Metric("auc", "higher", True, auc),
    "log_loss": Metric("log_loss", "lower", False, log_loss),
    "brier": Metric("brier", "lower", True, brier),
}

REGRESSION: dict[str, Metric] = {
    "rmse": Metric("rmse", "lower", False, rmse),
    "mae": Metric("mae", "lower", False, mae),
    "r2": Metric("r2", "higher", True, r2),
}
