"""How sure a score on one held-out set is: Wilson, McNemar, the bootstrap."""

from collections.abc import Callable, Iterator, Sequence
from math import nan, sqrt

import numpy as np

__all__ = ["bootstrap_interval", "check_confidence", "mcnemar", "paired_bootstrap", "wilson"]

EXACT_BELOW = 25  # discordant pairs; from here on chi-squared is close enough to the binomial


def wilson(successes: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a rate counted on one held-out set.

    (k + z^2/2 +- z sqrt(k (n - k) / n + z^2/4)) / (n + z^2).

    Args:
        successes: k, 0 <= k <= n.
        total: n, independent rows. Rows in groups need `bootstrap_interval`.
        confidence: share of such intervals that should hold the truth, in (0, 1).

    Returns:
        (low, high) in [0, 1]; (0, 1) when `total` is zero, as nothing is known.

    Raises:
        ValueError: counts that cannot be, or `confidence` out of range.

    Source:
        Wilson 1927, "Probable inference, the law of succession, and statistical inference".

    Deviations:
        No continuity correction.

    >>> low, high = wilson(9, 10)
    >>> f"{low:.3f} {high:.3f}"
    '0.596 0.982'
    """
    from scipy.special import ndtri

    check_confidence(confidence)
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total} cannot be; count rows that were right")
    z = -float(ndtri((1 - confidence) / 2))
    centre = successes + z * z / 2
    half = z * sqrt(successes * (total - successes) / max(total, 1) + z * z / 4)
    scale = total + z * z
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p of "both classifiers err equally often" on the same rows.

    Below 25 discordant rows P = 2 P(X <= min(b, c)), X ~ Binomial(b + c, 1/2), at most one;
    from there on chi^2 = max(|b - c| - 1, 0)^2 / (b + c) with one degree of freedom.

    Args:
        only_first: b, rows that only the first classifier has right, >= 0.
        only_second: c, rows that only the second has right, >= 0.

    Returns:
        p in [0, 1]; one when they never disagree.

    Raises:
        ValueError: a negative count.

    Source:
        McNemar 1947, with the continuity correction of Edwards 1948; Dietterich 1998 on its use.

    Deviations:
        b = c gives p = 1: the correction alone would make a difference out of none.

    >>> f"{mcnemar(2, 10):.4f} {mcnemar(10, 30):.4f}"
    '0.0386 0.0027'
    """
    from scipy.special import bdtr, chdtrc

    if only_first < 0 or only_second < 0:
        raise ValueError(f"counts of rows are 0 or more, got {only_first} and {only_second}")
    discordant = only_first + only_second
    if discordant < EXACT_BELOW:
        return min(1.0, float(2 * bdtr(min(only_first, only_second), discordant, 0.5)))
    distance = max(abs(only_first - only_second) - 1, 0)
    return float(chdtrc(1, distance**2 / discordant))


def bootstrap_interval(
    score: Callable[[np.ndarray], float],
    rows: int,
    groups: Sequence[object] | np.ndarray | None = None,
    seed: int = 0,
    draws: int = 1000,
    confidence: float = 0.95,
    centre: float | None = None,
) -> tuple[float, float]:
    """Return the percentile interval of a score on one held-out set.

    The (1 - confidence) / 2 and (1 + confidence) / 2 quantiles of score(rows drawn with return).

    Args:
        score: takes row numbers (int64, some of them repeated) and returns a number.
        rows: how many held-out rows there are.
        groups: one label a row; whole groups are then drawn, as their rows are not independent.
        seed: the interval is a function of it.
        draws: how often to resample, >= 1.
        confidence: in (0, 1).
        centre: where the mean of the draws belongs: the score of all rows, for a score that is
            worse on rows that repeat one another. None leaves the draws where they are.

    Returns:
        (low, high) in the score's unit; (nan, nan) when there is but one row or one group.
        Draws where the score is nan (AUC of one class) are left out; when they are more than
        half, the interval is (nan, nan) too.

    Raises:
        ValueError: `groups` does not fit `rows`, or `draws` or `confidence` is out of range.

    Source:
        Efron & Tibshirani 1993, "An introduction to the bootstrap", section 13.3; whole groups
        as in Davison & Hinkley 1997, section 3.8; the bias that `centre` takes away is estimated
        as in Efron & Tibshirani, section 10.2.

    Deviations:
        Percentiles without bias correction: too narrow for few rows (below about 50).

    >>> values = np.arange(100.0)
    >>> low, high = bootstrap_interval(lambda index: values[index].mean(), rows=100)
    >>> 42 < low < 46 and 53 < high < 57
    True
    """
    check_confidence(confidence)
    if draws < 1:
        raise ValueError(f"draws is {draws}; resample at least once")
    units = _units(rows, groups)
    if len(units) < 2:
        return nan, nan
    values = np.array([score(index) for index in _resamples(units, seed, draws)], dtype=np.float64)
    defined = values[~np.isnan(values)]
    if 2 * len(defined) < draws:
        return nan, nan
    tail = (1 - confidence) / 2
    if centre is not None:
        defined += centre - defined.mean()
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def paired_bootstrap(
    score: Callable[[np.ndarray], float],
    reference: Callable[[np.ndarray], float],
    rows: int,
    groups: Sequence[object] | np.ndarray | None = None,
    seed: int = 0,
    draws: int = 1000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile interval of score minus reference, both on the same drawn rows.

    The quantiles of score(drawn) - reference(drawn); an interval without zero is a difference.

    Args:
        score: takes row numbers, returns the candidate's score.
        reference: takes the same row numbers, returns the score it is held against.
        rows: how many held-out rows there are.
        groups: one label a row; whole groups are then drawn.
        seed: the interval is a function of it.
        draws: how often to resample, >= 1.
        confidence: in (0, 1).

    Returns:
        (low, high) of the difference; (nan, nan) as in `bootstrap_interval`.

    Raises:
        ValueError: as in `bootstrap_interval`.

    Source:
        Efron & Tibshirani 1993, section 13.3, applied to the difference.

    Deviations:
        As in `bootstrap_interval`.

    >>> first, second = np.arange(100.0) + 1, np.arange(100.0)
    >>> paired_bootstrap(lambda i: first[i].mean(), lambda i: second[i].mean(), rows=100)
    (1.0, 1.0)
    """
    return bootstrap_interval(
        lambda index: score(index) - reference(index), rows, groups, seed, draws, confidence
    )


def check_confidence(confidence: float) -> None:
    """Raise for a confidence outside (0, 1)."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; give a share such as 0.95")


def _units(rows: int, groups: Sequence[object] | np.ndarray | None) -> list[np.ndarray]:
    """Return what is drawn as one: the rows of each group, or each row alone."""
    if groups is None:
        return list(np.arange(rows)[:, None])
    labels = np.asarray(groups)
    if labels.shape != (rows,):
        raise ValueError(f"groups has shape {labels.shape}; give one label for each of {rows} rows")
    codes = np.unique(labels, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])


def _resamples(units: list[np.ndarray], seed: int, draws: int) -> Iterator[np.ndarray]:
    """Yield `draws` lists of row numbers, each of as many units as there are, with return."""
    chance = np.random.Generator(np.random.PCG64(seed))
    flat = np.concatenate(units)
    lengths = np.array([len(unit) for unit in units])
    starts = np.cumsum(lengths) - lengths
    for _ in range(draws):
        picks = chance.integers(len(units), size=len(units))
        size = lengths[picks]
        offsets = np.repeat(starts[picks] - (np.cumsum(size) - size), size)
        yield flat[offsets + np.arange(size.sum())]
