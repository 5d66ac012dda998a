"""Choosing C, gamma and epsilon of a support vector machine by folds inside the training fold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.kernel import scale_of, squared_distances
from gradatim.ops.folds import Split
from gradatim.ops.inner import inner_folds

__all__ = ["choose"]

_COSTS = (1.0, 3.0, 10.0, 100.0)
_GAMMAS = (0.3, 1.0, 3.0)  # times the scale of the features
_WIDTHS = (0.1, 0.01, 0.03, 0.3)  # epsilon, in deviations of the target


@dataclass(frozen=True)
class _Part:
    """What one inner fold learns from and is judged by: kernels of rows to rows learnt from."""

    kernel: np.ndarray
    t: np.ndarray
    held_kernel: np.ndarray
    held_t: np.ndarray


Score = Callable[[Mapping[str, float], _Part], tuple[float, bool]]
"""Option, part -> what it reaches; whether C holds no row back, so that no larger C differs."""


def choose(
    x: Tensor,
    t: Tensor,
    samples: Samples,
    signature: Signature,
    seed: int,
    distances: Tensor | None = None,
) -> dict[str, float]:
    """Return the C and gamma (and epsilon) with the best mean score over the inner folds.

    Args:
        x: features.
        t: targets, as a solver takes them.
        samples: the same rows, for their groups and times.
        signature: of the data.
        seed: of the inner folds.
        distances: squared, between all rows, when they are known already.
    """
    classifies = isinstance(signature.output, Category)
    splits = inner_folds(samples, 3, seed)
    if classifies:
        splits = [(a, b) for a, b in splits if len(t[a].unique()) > 1]
    score = _accuracy if classifies else _negative_error
    scale = scale_of(x)
    best: tuple[float, dict[str, float]] = (-np.inf, _option(10.0, scale))
    if not splits:
        return best[1]
    apart = squared_distances(x, x) if distances is None else distances
    for gamma in [share * scale for share in _GAMMAS]:
        parts = _parts((-gamma * apart).exp().numpy(), t.numpy(), splits)
        best = _better(best, [_option(cost, gamma) for cost in _COSTS], parts, score)
    if not classifies:
        parts = _parts((-best[1]["gamma"] * apart).exp().numpy(), t.numpy(), splits)
        for width in _WIDTHS[1:]:
            best = _better(best, [{**best[1], "width": width}], parts, score)
    return best[1]


def _parts(kernel: np.ndarray, t: np.ndarray, splits: Sequence[Split]) -> list[_Part]:
    return [_Part(kernel[np.ix_(a, a)], t[a], kernel[np.ix_(b, a)], t[b]) for a, b in splits]


def _better(
    best: tuple[float, dict[str, float]],
    options: Sequence[dict[str, float]],
    parts: Sequence[_Part],
    score: Score,
) -> tuple[float, dict[str, float]]:
    """Return the best of these and of what was best before.

    Args:
        best: mean score and option.
        options: that differ in C alone, the smallest first. A fold whose machine no C holds back
            has the same machine for every larger C.
        parts: of the inner folds.
        score: of an option on one of them.
    """
    free: dict[int, float] = {}
    for option in options:
        reached = []
        for place, part in enumerate(parts):
            if place in free:
                reached.append(free[place])
                continue
            value, unbound = score(option, part)
            reached.append(value)
            if unbound:
                free[place] = value
        mean = float(np.mean(reached))
        best = (mean, option) if mean > best[0] else best
    return best


def _option(cost: float, gamma: float) -> dict[str, float]:
    return {"cost": cost, "gamma": gamma, "width": _WIDTHS[0]}


def _accuracy(option: Mapping[str, float], part: _Part) -> tuple[float, bool]:
    from sklearn.svm import SVC

    solver = SVC(C=option["cost"], kernel="precomputed").fit(part.kernel, part.t)
    right = solver.predict(part.held_kernel) == part.held_t
    return float(np.mean(right)), bool(np.abs(solver.dual_coef_).max() < option["cost"])


def _negative_error(option: Mapping[str, float], part: _Part) -> tuple[float, bool]:
    from sklearn.svm import SVR

    error, largest = 0.0, 0.0
    for column in range(part.t.shape[1]):
        solver = SVR(C=option["cost"], epsilon=option["width"], kernel="precomputed")
        solver.fit(part.kernel, part.t[:, column])
        said = solver.predict(part.held_kernel)
        error += np.mean((said - part.held_t[:, column]) ** 2)
        largest = max(largest, np.abs(solver.dual_coef_).max(initial=0.0))
    return -float(error), bool(largest < option["cost"])
