"""Choosing C, gamma and epsilon of a support vector machine by folds inside the training fold."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from torch import Tensor

from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.kernel import rbf, scale_of
from gradatim.ops.folds import Split
from gradatim.ops.inner import inner_folds

__all__ = ["choose"]

_COSTS = (1.0, 3.0, 10.0, 100.0)
_GAMMAS = (0.3, 1.0, 3.0)  # times the scale of the features
_WIDTHS = (0.1, 0.01, 0.03, 0.3)  # epsilon, in deviations of the target

Score = Callable[[Mapping[str, float], np.ndarray, np.ndarray, Split], float]


def choose(
    x: Tensor, t: Tensor, samples: Samples, signature: Signature, seed: int
) -> dict[str, float]:
    """Return the C and gamma (and epsilon) with the best mean score over the inner folds."""
    classifies = isinstance(signature.output, Category)
    splits = inner_folds(samples, 3, seed)
    if classifies:
        splits = [(a, b) for a, b in splits if len(t[a].unique()) > 1]
    score = _accuracy if classifies else _negative_error
    scale = scale_of(x)
    best: tuple[float, dict[str, float]] = (-np.inf, _option(10.0, scale))
    for gamma in [share * scale for share in _GAMMAS] if splits else []:
        kernel = rbf(x, x, gamma).numpy()
        options = [_option(cost, gamma) for cost in _COSTS]
        best = _better(best, options, splits, score, kernel, t.numpy())
    if splits and not classifies:
        kernel = rbf(x, x, best[1]["gamma"]).numpy()
        options = [{**best[1], "width": width} for width in _WIDTHS[1:]]
        best = _better(best, options, splits, score, kernel, t.numpy())
    return best[1]


def _better(
    best: tuple[float, dict[str, float]],
    options: Sequence[dict[str, float]],
    splits: Sequence[Split],
    score: Score,
    kernel: np.ndarray,
    t: np.ndarray,
) -> tuple[float, dict[str, float]]:
    for option in options:
        mean = float(np.mean([score(option, kernel, t, split) for split in splits]))
        best = (mean, option) if mean > best[0] else best
    return best


def _option(cost: float, gamma: float) -> dict[str, float]:
    return {"cost": cost, "gamma": gamma, "width": _WIDTHS[0]}


def _accuracy(
    option: Mapping[str, float], kernel: np.ndarray, t: np.ndarray, split: Split
) -> float:
    from sklearn.svm import SVC

    train, held = split
    solver = SVC(C=option["cost"], kernel="precomputed")
    solver.fit(kernel[np.ix_(train, train)], t[train])
    return float(np.mean(solver.predict(kernel[np.ix_(held, train)]) == t[held]))


def _negative_error(
    option: Mapping[str, float], kernel: np.ndarray, t: np.ndarray, split: Split
) -> float:
    from sklearn.svm import SVR

    (train, held), error = split, 0.0
    for target in t.T:
        solver = SVR(C=option["cost"], epsilon=option["width"], kernel="precomputed")
        solver.fit(kernel[np.ix_(train, train)], target[train])
        error += np.mean((solver.predict(kernel[np.ix_(held, train)]) - target[held]) ** 2)
    return -float(error)
