r"""BLEU of many sentences, from counts that can be added up.

    BLEU = 100 min(1, exp(1 - r / c)) exp(1/4 sum_n log p_n),    p_n = sum correct_n / sum total_n,

n = 1 ... 4, c and r the words of the answers and of the references. An order of n-grams without
any match has p_n = 1 / (2^k total_n), k counting such orders (smoothing "exp").

Counts are kept a sentence, so that scores of folds and of draws of a bootstrap are sums of rows.

Source: Papineni et al. 2002, "BLEU: a method for automatic evaluation of machine translation";
    Post 2018, "A call for clarity in reporting BLEU scores" (the words are those of mteval-v13a).
"""

import re
from collections import Counter
from collections.abc import Sequence
from math import exp, log

import numpy as np

__all__ = ["BLEU_SIGNATURE", "COUNTS", "ORDER", "bleu", "bleu_counts", "tokens_13a"]

ORDER = 4
COUNTS = 2 * ORDER + 2
"""Numbers a sentence: correct and all n-grams of each order, words of the answer, words due."""
BLEU_SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
"""What sacrebleu calls this way to compute it."""

_ENTITIES = {"&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">"}
_ALONE = re.compile(r"([!-&(-+:-@\[-`{-~/ ])")
"""ASCII punctuation but the apostrophe, comma, dash and full stop."""
_AFTER_NO_DIGIT = re.compile(r"([^0-9])([.,])")
_BEFORE_NO_DIGIT = re.compile(r"([.,])([^0-9])")
_DASH = re.compile(r"([0-9])(-)")


def tokens_13a(text: str) -> list[str]:
    """Return the words of a sentence as mteval-v13a takes them.

    >>> tokens_13a("It's 1,000.50, isn't it?")
    ["It's", '1,000.50', ',', "isn't", 'it', '?']
    """
    line = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES.items():
        line = line.replace(entity, character)
    line = _ALONE.sub(r" \1 ", f" {line} ")
    line = _AFTER_NO_DIGIT.sub(r"\1 \2 ", line)
    line = _BEFORE_NO_DIGIT.sub(r" \1 \2", line)
    return _DASH.sub(r"\1 \2 ", line).split()


def bleu_counts(answer: str, reference: str) -> list[int]:
    """Return what a sentence adds to the score.

    Returns:
        Correct n-grams of each order, all n-grams of each order, words of the answer, words of
        the reference: `COUNTS` numbers.

    >>> bleu_counts("a cat sat", "the cat sat")
    [2, 1, 0, 0, 3, 2, 1, 0, 3, 3]
    """
    said, due = tokens_13a(answer), tokens_13a(reference)
    correct, total = [], []
    for n in range(1, ORDER + 1):
        ours, theirs = _ngrams(said, n), _ngrams(due, n)
        correct.append(sum((ours & theirs).values()))
        total.append(max(0, len(said) - n + 1))
    return [*correct, *total, len(said), len(due)]


def bleu(counts: np.ndarray | Sequence[int]) -> float:
    """Return BLEU, from 0 to 100.

    Args:
        counts: the sum of `bleu_counts` over sentences.

    Source: see the module; sacrebleu 2.6 with its defaults is the reference of the tests.

    >>> round(bleu(bleu_counts("the cat sat on a mat", "the cat sat on the mat")), 2)
    53.73
    """
    numbers = [float(count) for count in counts]
    correct, total = numbers[:ORDER], numbers[ORDER : 2 * ORDER]
    said, due = numbers[2 * ORDER :]
    if not any(correct) or not all(total):
        return 0.0
    logs, missed = 0.0, 0
    for hits, all_there in zip(correct, total, strict=True):
        missed += not hits
        logs += log((hits or 0.5**missed) / all_there)
    brevity = min(1.0, exp(1 - due / said))
    return 100 * brevity * exp(logs / ORDER)


def _ngrams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[i:] for i in range(n)), strict=False))
