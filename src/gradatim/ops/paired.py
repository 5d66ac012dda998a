"""How sure a comparison over folds is: corrected tests and intervals.

Over folds the scores are not independent, since the training sets overlap. `ratio`, the rows a
fold validates on over the rows it trains on, says how much wider the truth is.
"""

from collections.abc import Sequence
from math import nan, sqrt
from typing import NamedTuple

import numpy as np

from gradatim.ops.intervals import check_confidence

__all__ = ["Practical", "corrected_interval", "corrected_t", "holm", "practical"]


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
    from scipy.special import stdtrit  # scipy.stats has the same, and takes half a second to import

    check_confidence(confidence)
    mean, error, freedom = _summary(scores, ratio)
    if freedom < 1:
        return nan, nan
    half = -float(stdtrit(freedom, (1 - confidence) / 2)) * error
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
    from scipy.special import stdtr

    mean, error, freedom = _summary(differences, ratio)
    if freedom < 1:
        return nan, nan
    if error == 0:
        return (0.0, 1.0) if mean == 0 else (float(np.copysign(np.inf, mean)), 0.0)
    t = mean / error
    return t, float(2 * stdtr(freedom, -abs(t)))


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
    from scipy.special import stdtr

    if not 0 <= rope < np.inf:
        raise ValueError(f"rope is {rope}; give a finite number, 0 or more, in the metric's unit")
    mean, error, freedom = _summary(differences, ratio)
    if freedom < 1:
        return Practical(nan, nan, nan)
    if error == 0:
        return Practical(float(mean < -rope), float(abs(mean) <= rope), float(mean > rope))
    worse = float(stdtr(freedom, (-rope - mean) / error))
    better = float(stdtr(freedom, (mean - rope) / error))
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
