"""Scores of predictions (rows,) against targets (rows,). An undefined score is nan."""

import numpy as np

from gradatim.ops.checked import quantities

__all__ = ["mae", "r2", "rmse"]


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
    predictions, targets = quantities(predictions, targets)
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
    predictions, targets = quantities(predictions, targets)
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
    predictions, targets = quantities(predictions, targets)
    if np.ptp(targets) == 0:
        return float("nan")
    scale = np.ptp(targets)  # squares of tiny or huge units would leave the range of floats
    errors, spread = (targets - predictions) / scale, (targets - targets.mean()) / scale
    return float(1 - np.sum(errors**2) / np.sum(spread**2))
