"""Splits inside the training fold, for choices that rows the solver has not seen must make."""

import numpy as np
from torch import Tensor

from gradatim.core.randomness import seed_for
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.ops.folds import Split, holdout, kfold

__all__ = ["held_out", "inner_folds"]

_FEW = 20  # rows below which none is set aside
_SHARE = 0.2


def inner_folds(samples: Samples, signature: Signature, folds: int, seed: int) -> list[Split]:
    """Return up to `folds` folds that keep groups whole and time running forward.

    The list is empty where two cannot be made: then there is nothing to choose by.
    """
    groups, times = _array(samples.groups), _array(samples.times)
    units = len(samples) if groups is None else len(np.unique(groups))
    if times is not None:
        units = len(np.unique(times)) - 1
    if min(folds, units) < 2:
        return []
    strata = _strata(samples, signature)
    seed = seed_for(seed, "inner folds")
    return kfold(len(samples), min(folds, units), seed, strata, groups, times)


def held_out(samples: Samples, signature: Signature, seed: int) -> Split | None:
    """Return four fifths of the rows to solve with and one fifth to judge by.

    None where rows cannot be spared: fewer than 20, one group, one moment, or no class twice.
    """
    strata = None if samples.groups is not None else _strata(samples, signature)
    groups, times = _array(samples.groups), _array(samples.times)
    alone = any(labels is not None and len(np.unique(labels)) < 2 for labels in (groups, times))
    rare = strata is not None and np.unique(strata, return_counts=True)[1].max() < 2
    if len(samples) < _FEW or alone or rare:
        return None
    return holdout(len(samples), _SHARE, seed_for(seed, "held out"), strata, groups, times)


def _strata(samples: Samples, signature: Signature) -> np.ndarray | None:
    return samples.targets.numpy() if isinstance(signature.output, Category) else None


def _array(labels: Tensor | None) -> np.ndarray | None:
    return None if labels is None else labels.numpy()
