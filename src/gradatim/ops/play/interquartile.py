"""The mean of the middle half, and how sure it is over games and runs."""

from collections.abc import Sequence

import numpy as np

from gradatim.ops.intervals import check_confidence

__all__ = ["interquartile_mean", "stratified_interval"]


def interquartile_mean(returns: np.ndarray) -> float:
    """Return the mean of what is left when the lowest and the highest quarter are cut away.

    Of n numbers floor(n / 4) are cut away at either end. Few games of an agent that is mostly bad
    move the mean; this they do not.

    Args:
        returns: of games, any number but none.

    Source: Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical
        precipice", section 4.2.

    >>> interquartile_mean(np.array([0.0, 1.0, 3.0, 500.0]))
    2.0
    """
    ordered = np.sort(np.asarray(returns, dtype=np.float64), axis=None)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def stratified_interval(
    runs: Sequence[np.ndarray], seed: int = 0, draws: int = 2000, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the percentile interval of the interquartile mean over games of several runs.

    Games are drawn with return inside each run, and the mean is taken over all of them together:
    runs are the strata.

    Args:
        runs: the returns of each.
        seed: the interval is a function of it.
        draws: at least 1.
        confidence: in (0, 1).

    Source: Agarwal et al. 2021, section 4.1.
    Deviations: runs of one game alone are strata here; the paper's are games.

    >>> stratified_interval([np.array([2.0, 2.0]), np.array([2.0, 2.0])])
    (2.0, 2.0)
    """
    check_confidence(confidence)
    chance = np.random.Generator(np.random.PCG64(seed))
    parts = [run[chance.integers(len(run), size=(draws, len(run)))] for run in runs]
    means = [interquartile_mean(row) for row in np.concatenate(parts, 1)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
