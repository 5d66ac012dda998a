"""Predictions and targets as arrays that fit together, or a ValueError that says why not."""

import numpy as np

__all__ = ["classified", "finite", "labels", "probable", "quantities"]

SUM_TOLERANCE = 1e-2  # bfloat16 keeps 8 bits, so an honest softmax sums to 1 +- 2**-8


def probable(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both arrays, checked to be probabilities and classes."""
    probabilities, targets = classified(probabilities, targets)
    low, high = probabilities.min(), probabilities.max()
    off = np.abs(probabilities.sum(axis=1) - 1).max()
    if low < 0 or off > SUM_TOLERANCE:
        raise ValueError(
            f"not probabilities: values from {low:.4g} to {high:.4g}, a row's sum off by {off:.4g};"
            " pass the outputs through a softmax first"
        )
    return probabilities, targets


def classified(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float64 scores and int64 targets that fit together."""
    probabilities = finite("probabilities", probabilities)
    if probabilities.ndim != 2 or len(probabilities) != len(targets):
        raise ValueError(
            f"probabilities have shape {probabilities.shape} for {len(targets)} targets; "
            "expected (rows, classes) with as many rows"
        )
    return probabilities, labels(targets, probabilities.shape[1])


def labels(values: np.ndarray, classes: int) -> np.ndarray:
    """Return classes as int64, checked to lie in [0, classes)."""
    values = np.asarray(values)
    if values.ndim != 1 or values.dtype.kind not in "iub":
        raise ValueError(f"classes are integers (rows,), got {values.dtype} {values.shape}")
    if len(values) and not (values.min() >= 0 and values.max() < classes):
        raise ValueError(
            f"class {values.min()} to {values.max()} in the data, but 0 to {classes - 1} are known"
        )
    return values.astype(np.int64)


def quantities(predictions: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float64 predictions and targets of one shape: (rows, 1) would broadcast silently."""
    predictions, targets = finite("predictions", predictions), finite("targets", targets)
    if predictions.ndim != 1 or predictions.shape != targets.shape:
        raise ValueError(
            f"predictions have shape {predictions.shape}, targets {targets.shape}; "
            "expected (rows,) for both"
        )
    return predictions, targets


def finite(name: str, values: np.ndarray) -> np.ndarray:
    """Return float64 values, checked to be there and finite."""
    values = np.asarray(values, dtype=np.float64)
    lost = int(np.count_nonzero(~np.isfinite(values)))
    if lost or not values.size:
        raise ValueError(
            f"{lost} of {values.size} {name} are not finite; a score needs one row or more, all "
            "finite: see where the model diverged"
        )
    return values
