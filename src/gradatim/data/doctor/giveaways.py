"""How much of the target one column gives away, from 0 to 1, and how likely that is by luck."""

import numpy as np
from scipy.special import gammaln

__all__ = ["luck", "score"]


def score(values: np.ndarray, answer: np.ndarray, category: bool, classes: bool) -> float:
    """Return the measure of the table in `gradatim.data.doctor.leaks`, 1 for a perfect leak."""
    kept = ~np.isnan(values)
    value = np.unique(values[kept], return_inverse=True)[1]
    code = np.unique(answer[kept], return_inverse=True)[1]
    if not len(code) or not code.max():
        return 1.0
    if classes:
        return _recall(value, code) if category else _worst_auc(value, code)
    return _correlation_ratio(value, code) if category else _rank_correlation(value, code)


def _worst_auc(value: np.ndarray, code: np.ndarray) -> float:
    """Return a lower bound of the AUC of neighbouring classes, exact for two classes.

    Wrongly ordered pairs across the cut between two neighbours, those of farther classes too, are
    set against the pairs of the two.
    """
    size = np.bincount(code)
    ranks = np.bincount(code, _ranks(value))
    order = np.argsort(ranks / size)
    size, ranks = size[order].astype(np.float64), ranks[order]
    above = np.cumsum(size[::-1])[::-1][1:]
    right = np.cumsum(ranks[::-1])[::-1][1:] - above * (above + 1) / 2
    wrong = above * (len(code) - above) - right
    return float(1 - np.max(wrong / (size[:-1] * size[1:])))


def _recall(value: np.ndarray, code: np.ndarray) -> float:
    pairs, counts = np.unique(np.column_stack([value, code]), axis=0, return_counts=True)
    order = np.argsort(counts, kind="stable")
    commonest = np.zeros(value.max() + 1, dtype=np.int64)
    commonest[pairs[order, 0]] = pairs[order, 1]  # the last written is the commonest
    right = np.bincount(code, commonest[value] == code)
    return float(np.min(right / np.bincount(code)))


def _rank_correlation(value: np.ndarray, code: np.ndarray) -> float:
    if not value.max():
        return 0.0
    return float(abs(np.corrcoef(_ranks(value), _ranks(code))[0, 1]))


def _correlation_ratio(value: np.ndarray, code: np.ndarray) -> float:
    rank = _ranks(code)
    mean = np.bincount(value, rank) / np.bincount(value)
    return float(np.sqrt(np.var(mean[value]) / np.var(rank)))


def _ranks(code: np.ndarray) -> np.ndarray:
    """Return the ranks from 1 of whole numbers from 0; equal ones share the mean of theirs."""
    count = np.bincount(code)
    ranks: np.ndarray = (np.cumsum(count) - (count - 1) / 2)[code]
    return ranks


def luck(values: np.ndarray, answer: np.ndarray, category: bool, classes: bool) -> float:
    """Return the log of (a bound of) the share of orders of the targets that leak fully.

    n! / prod n_c! arrangements, of which a number can show the classes in k! orders, a quantity
    in 2, and a category of v values by k^v meanings (classes) or v! orders (quantity).
    """
    value = np.unique(values, return_counts=True)[1]
    size = np.unique(answer, return_counts=True)[1]
    if category and classes:
        ways = len(value) * np.log(len(size))
    elif category:
        size, ways = value, gammaln(len(value) + 1)
    else:
        ways = gammaln(len(size) + 1) if classes else np.log(2)
    return float(ways - gammaln(size.sum() + 1) + gammaln(size + 1).sum())
