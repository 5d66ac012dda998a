"""chrF of many sentences, from counts that can be added up.

    chrF = 100 (1 + b^2) P R / (b^2 P + R),    b = 2,

P and R the mean precision and recall of character n-grams, n = 1 ... 6, over the orders that both
sides have. Space between words does not count.

Source: Popovic 2015, "chrF: character n-gram F-score for automatic MT evaluation"; the mean over
    orders is that of sacrebleu.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

__all__ = ["CHRF_SIGNATURE", "COUNTS", "ORDER", "chrf", "chrf_counts"]

ORDER, BETA = 6, 2
COUNTS = 3 * ORDER
"""Numbers a sentence: n-grams of the answer, of the reference, and of both, for each order."""
CHRF_SIGNATURE = "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0"
"""What sacrebleu calls this way to compute it."""


def chrf_counts(answer: str, reference: str) -> list[int]:
    """Return what a sentence adds to the score.

    Returns:
        Three numbers an order: n-grams of the answer, of the reference, of both. Where the
        reference has none of an order, those of the answer do not count.

    >>> chrf_counts("ab", "a b c")[:6]
    [2, 3, 2, 1, 2, 1]
    """
    said, due = "".join(answer.split()), "".join(reference.split())
    counts: list[int] = []
    for n in range(1, ORDER + 1):
        ours, theirs = _ngrams(said, n), _ngrams(due, n)
        there = theirs.total()
        counts += [ours.total() if there else 0, there, (ours & theirs).total()]
    return counts


def chrf(counts: np.ndarray | Sequence[int]) -> float:
    """Return chrF2, from 0 to 100.

    Args:
        counts: the sum of `chrf_counts` over sentences.

    >>> round(chrf(chrf_counts("the cat", "the hat")), 2)
    28.06
    """
    said, due, both = np.asarray(counts, float).reshape(ORDER, 3).T
    known = (said > 0) & (due > 0)
    if not known.any():
        return 0.0
    precision = float(np.mean(both[known] / said[known]))
    recall = float(np.mean(both[known] / due[known]))
    if not precision + recall:
        return 0.0
    return 100 * (1 + BETA**2) * precision * recall / (BETA**2 * precision + recall)


def _ngrams(text: str, n: int) -> Counter[str]:
    return Counter(text[i : i + n] for i in range(len(text) - n + 1))
