"""What contenders that train networks share: the arrays of each fold, ready to be learnt from."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from contest.data import opened, standardised

Job = dict[str, Any]


@dataclass(frozen=True)
class Fold:
    """Standardised float32 pictures (or rows of numbers), int64 labels: to learn from, to check."""

    x: np.ndarray
    y: np.ndarray
    x_held: np.ndarray
    y_held: np.ndarray


def folds_of(job: Job) -> list[Fold]:
    """Return the folds that a job asks for, as arrays that no contender has to prepare further."""
    arrays = opened(job)
    return [_fold(arrays, fold, flat="widths" in job) for fold in range(job["folds"])]


def _fold(arrays: dict[str, np.ndarray], fold: int, *, flat: bool) -> Fold:
    training = arrays["held"] != fold
    x = standardised(arrays["x"], training)
    x = x.reshape(len(x), -1) if flat else x
    y = arrays["y"]
    return Fold(x[training], y[training], x[~training], y[~training])


def accuracy(said: np.ndarray, right: np.ndarray) -> float:
    """Return the share of rows whose highest score is that of the right class."""
    return float((np.asarray(said).argmax(1) == right).mean())
