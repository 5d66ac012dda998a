"""Splits inside a training fold: for a rung that has something to choose."""

import numpy as np
import torch

from gradatim.core.randomness import seed_for
from gradatim.core.samples import Samples
from gradatim.ops.folds import Split, holdout, kfold

__all__ = ["inner_folds", "inner_holdout"]

FEWEST = 20
"""Rows below which none can be spared."""


def inner_folds(samples: Samples, folds: int, seed: int) -> list[Split]:
    """Return folds of the training rows that respect their groups and times.

    Args:
        samples: the training rows. Categories are spread evenly over the folds.
        folds: wanted; fewer when there are not as many rows, groups or moments.
        seed: the split is a function of it.

    Returns:
        Pairs (train, validation) of row numbers; none when there are too few rows to split.
    """
    groups, times = _labels(samples)
    folds = min(folds, _units(samples) - (times is not None))
    if folds < 2:
        return []
    chance = seed_for(seed, "inner folds")
    return kfold(len(samples), folds, chance, _strata(samples), groups, times)


def inner_holdout(samples: Samples, share: float, seed: int) -> Split | None:
    """Return training rows to learn from and training rows to set aside.

    Args:
        samples: the training rows; their groups and times are respected.
        share: what to set aside, in (0, 1).
        seed: the split is a function of it.

    Returns:
        (train, held), or None with fewer than 20 rows, or with nothing to cut between.
    """
    groups, times = _labels(samples)
    if len(samples) < FEWEST or _units(samples) < 2:
        return None
    # Groups that are whole classes, or classes of one row, cannot be set aside by class.
    strata = _strata(samples) if groups is None else None
    if strata is not None and np.bincount(strata).max() < 2:
        strata = None
    return holdout(len(samples), share, seed_for(seed, "inner hold-out"), strata, groups, times)


def _labels(samples: Samples) -> tuple[np.ndarray | None, np.ndarray | None]:
    groups = None if samples.groups is None else samples.groups.numpy()
    return groups, None if samples.times is None else samples.times.numpy()


def _strata(samples: Samples) -> np.ndarray | None:
    # Masks are classes too, but no class of their row.
    return samples.targets.numpy() if samples.targets.dtype == torch.int64 else None


def _units(samples: Samples) -> int:
    """Return how many pieces the rows can be cut into."""
    marks = samples.groups if samples.times is None else samples.times
    return len(samples) if marks is None else len(torch.unique(marks))
