"""How sure a comparison is: corrected tests over folds, and intervals on one held-out set.

Over folds the scores are not independent, since the training sets overlap. `ratio`, the rows a
fold validates on over the rows it trains on, says how much wider the truth is.
"""

from collections.abc import Callable, Iterator, Sequence
from math import nan, sqrt
from typing import NamedTuple

import numpy as np

__all__ = [
    "Practical",
    "bootstrap_interval",
    "corrected_interval",
    "corrected_t",
    "holm",
    "mcnemar",
    "paired_bootstrap",
    "practical",
    "wilson",
]

EXACT_BELOW = 25  # discordant pairs; from here on chi-squared is close enough to the binomial


class Practical(NamedTuple):
    """Probabilities that a candidate is worse, practically equal or better; they sum to one."""

    worse: float
    equal: float
    better: float


def corrected_interval(
    scores: Sequence[float] | np.ndarray, ratio: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a mean score over folds, widened because training sets overlap.

    mean +- t_{n-1} sqrt((1/n + ratio) s^2), with s^2 the sample variance (ddof 1).

    Args:
        scores: one score for each fold, n of them, in the metric's unit.
        ratio: n_test / n_train of a fold, >= 0; k even folds have 1 / (k - 1).
        confidence: share of such intervals that should hold the truth, in (0, 1).

    Returns:
        (low, high) in the metric's unit; (nan, nan) for fewer than two scores.

    Raises:
        ValueError: a score is not finite, or `ratio` or `confidence` is out of range.

    Source:
        Nadeau & Bengio 2003, "Inference for the generalization error", Machine Learning 52.

    Deviations:
        Not cut to the metric's range: an accuracy's interval may reach past one.

    >>> low, high = corrected_interval([0.8, 0.9, 0.7, 0.8], ratio=1 / 3)
    >>> f"{low:.3f} {high:.3f}"
    '0.602 0.998'
    """
    from scipy.stats import t

    _check_confidence(confidence)
    mean, error, freedom = _summary(scores, ratio)
    if freedom < 1:
        return nan, nan
    half = float(t.isf((1 - confidence) / 2, freedom)) * error
    return mean - half, mean + half


def corrected_t(differences: Sequence[float] | np.ndarray, ratio: float) -> tuple[float, float]:
    """Return t and the two-sided p of "both rungs score alike", paired over folds.

    t = mean / sqrt((1/n + ratio) s^2), df = n - 1, p = 2 P(T > |t|).

    Args:
        differences: candidate minus reference for each fold, n of them.
        ratio: n_test / n_train of a fold, >= 0.

    Returns:
        (t, p), p in [0, 1]; (nan, nan) for fewer than two differences. Differences that are all
        the same give (0, 1) when they are zero and (+-inf, 0) otherwise.

    Raises:
        ValueError: a difference is not finite, or `ratio` is negative.

    Source:
        Nadeau & Bengio 2003, corrected resampled t-test; repeated folds (n = k r) as in
        Bouckaert & Frank 2004, "Evaluating the replicability of significance tests".

    Deviations:
        Folds of uneven size share one `ratio`, their mean: the paper knows equal sizes only.

    >>> t, p = corrected_t([0.02, 0.05, 0.01, 0.04, 0.03], ratio=1 / 4)
    >>> f"{t:.3f} {p:.4f}"
    '2.828 0.0474'
    """
    from scipy.stats import t as student

    mean, error, freedom = _summary(differences, ratio)
    if freedom < 1:
        return nan, nan
    if error == 0:
        return (0.0, 1.0) if mean == 0 else (float(np.copysign(np.inf, mean)), 0.0)
    t = mean / error
    return t, float(2 * student.sf(abs(t), freedom))


def practical(differences: Sequence[float] | np.ndarray, ratio: float, rope: float) -> Practical:
    """Return how probably a candidate is worse than, practically equal to or better than another.

    mu ~ St(n - 1, mean, (1/n + ratio) s^2); worse = P(mu < -rope), better = P(mu > rope).

    Args:
        differences: candidate minus reference for each fold, turned so that positive is better.
        ratio: n_test / n_train of a fold, >= 0, which is rho / (1 - rho) in the paper.
        rope: half the width of the region of practical equivalence, >= 0, in the metric's unit.

    Returns:
        `Practical`, three probabilities; all nan for fewer than two differences. Differences that
        are all the same put probability one on the region that holds them, borders being equal.

    Raises:
        ValueError: a difference is not finite, or `ratio` or `rope` is negative or not finite.

    Source:
        Benavoli, Corani, Demsar & Zaffalon 2017, "Time for a change", JMLR 18, the Bayesian
        correlated t-test.

    Deviations:
        None.

    >>> worse, equal, better = practical([0.02, 0.05, 0.01, 0.04, 0.03], ratio=1 / 4, rope=0.01)
    >>> f"{worse:.3f} {equal:.3f} {better:.3f}"
    '0.010 0.056 0.934'
    """
    from scipy.stats import t

    if not 0 <= rope < np.inf:
        raise ValueError(f"rope is {rope}; give a finite number, 0 or more, in the metric's unit")
    mean, error, freedom = _summary(differences, ratio)
    if freedom < 1:
        return Practical(nan, nan, nan)
    if error == 0:
        return Practical(float(mean < -rope), float(abs(mean) <= rope), float(mean > rope))
    worse = float(t.cdf((-rope - mean) / error, freedom))
    better = float(t.sf((rope - mean) / error, freedom))
    return Practical(worse, max(0.0, 1 - worse - better), better)


def holm(pvalues: Sequence[float] | np.ndarray) -> list[float]:
    """Return p values adjusted so that one false alarm in the whole family stays rare.

    adjusted_(i) = max over j <= i of min(1, (m - j + 1) p_(j)), p_(1) being the smallest of m.

    Args:
        pvalues: in [0, 1], or nan for a test that could not be made.

    Returns:
        Adjusted values in [0, 1], in the order given; nan stays nan and does not count in m.

    Raises:
        ValueError: a value lies outside [0, 1].

    Source:
        Holm 1979, "A simple sequentially rejective multiple test procedure".

    Deviations:
        None.

    >>> [round(p, 3) for p in holm([0.01, 0.04, float("nan"), 0.03])]
    [0.03, 0.06, nan, 0.06]
    """
    raw = np.asarray(pvalues, dtype=np.float64)
    if np.any((raw < 0) | (raw > 1)):
        raise ValueError(f"p values must lie in [0, 1], got {raw.tolist()}")
    known = np.flatnonzero(~np.isnan(raw))
    order = known[np.argsort(raw[known], kind="stable")]
    steps = np.arange(len(order), 0, -1)
    adjusted = np.full(len(raw), nan)
    adjusted[order] = np.maximum.accumulate(np.minimum(1, steps * raw[order]))
    return [float(p) for p in adjusted]


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
    from scipy.stats import norm

    _check_confidence(confidence)
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total} cannot be; count rows that were right")
    z = float(norm.isf((1 - confidence) / 2))
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
    from scipy.stats import binom, chi2

    if only_first < 0 or only_second < 0:
        raise ValueError(f"counts of rows are 0 or more, got {only_first} and {only_second}")
    discordant = only_first + only_second
    if discordant < EXACT_BELOW:
        return min(1.0, float(2 * binom.cdf(min(only_first, only_second), discordant, 0.5)))
    distance = max(abs(only_first - only_second) - 1, 0)
    return float(chi2.sf(distance**2 / discordant, 1))


def bootstrap_interval(
    score: Callable[[np.ndarray], float],
    rows: int,
    groups: Sequence[object] | np.ndarray | None = None,
    seed: int = 0,
    draws: int = 1000,
    confidence: float = 0.95,
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

    Returns:
        (low, high) in the score's unit; (nan, nan) when there is but one row or one group.
        Draws where the score is nan (AUC of one class) are left out; when they are more than
        half, the interval is (nan, nan) too.

    Raises:
        ValueError: `groups` does not fit `rows`, or `draws` or `confidence` is out of range.

    Source:
        Efron & Tibshirani 1993, "An introduction to the bootstrap", section 13.3; whole groups
        as in Davison & Hinkley 1997, section 3.8.

    Deviations:
        Percentiles without bias correction: too narrow for few rows (below about 50).

    >>> values = np.arange(100.0)
    >>> low, high = bootstrap_interval(lambda index: values[index].mean(), rows=100)
    >>> 42 < low < 46 and 53 < high < 57
    True
    """
    _check_confidence(confidence)
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


def _summary(values: Sequence[float] | np.ndarray, ratio: float) -> tuple[float, float, int]:
    """Return mean, corrected standard error and degrees of freedom (below one: undefined)."""
    sample = np.asarray(values, dtype=np.float64)
    lost = int(np.count_nonzero(~np.isfinite(sample)))
    if lost:
        raise ValueError(
            f"{lost} of {sample.size} fold scores are not finite: {sample.tolist()}; "
            "leave the undefined folds out and say how many they are"
        )
    if not 0 <= ratio < np.inf:
        raise ValueError(f"ratio n_test / n_train is {ratio}; expected a finite number, 0 or more")
    if sample.size < 2:
        return nan, nan, sample.size - 1
    if np.ptp(sample) == 0:  # the computed variance of equal numbers is a rounding error, not zero
        return float(sample[0]), 0.0, sample.size - 1
    error = sqrt(1 / sample.size + ratio) * float(np.std(sample, ddof=1))
    return float(np.mean(sample)), error, sample.size - 1


def _check_confidence(confidence: float) -> None:
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
