r"""IBM model 1: which word means which, learnt from sentence pairs by expectation-maximisation.

Every word e of the target comes from one word f of the source, each place being as likely:

    p(e_1 ... e_m | f_1 ... f_l) ~ prod_j sum_i t(e_j | f_i).

Expectation: c(e, f) = sum over pairs and places j of t(e_j | f_i) / sum_k t(e_j | f_k).
Maximisation: t(e | f) = c(e, f) / sum_e' c(e', f). The likelihood is concave in t: the start does
not matter.

Source: Brown et al. 1993, "The mathematics of statistical machine translation", section 4.1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

__all__ = ["Table", "ibm1", "likeliest", "meetings"]


class Table(NamedTuple):
    """The pairs of words that stand in a sentence pair, by source word, with t(target | source)."""

    source: Int64[Tensor, " pairs"]
    target: Int64[Tensor, " pairs"]
    chance: Float64[Tensor, " pairs"]


def ibm1(
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    steps: int,
) -> Table:
    """Return t(target | source) for all words that meet in a sentence pair.

    Args:
        sources: numbers of words, a sentence each; put a number for "no word" at the front of
            each to let words of the target come from nothing.
        targets: of the same sentences.
        steps: of expectation-maximisation, from t that is equal for all.

    Source: Brown et al. 1993, section 4.1.

    >>> table = ibm1([[0, 1], [0, 2], [3, 2]], [[0, 1], [0, 2], [3, 2]], 50)
    >>> [(s, t) for s, t, p in torch.stack([c.double() for c in table], 1).tolist() if p > 0.9]
    [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]
    """
    source, target, place = meetings(sources, targets)
    width = int(target.max()) + 1 if len(target) else 1
    keys, pair = (source * width + target).unique(return_inverse=True)
    first, second = keys // width, keys % width
    places = int(place.max()) + 1 if len(place) else 0
    words = int(source.max()) + 1 if len(source) else 0
    chance = torch.ones(len(keys), dtype=torch.float64)
    for _ in range(steps):
        likely = chance[pair]
        whole = likely.new_zeros(places).index_add_(0, place, likely)
        expected = torch.zeros_like(chance).index_add_(0, pair, likely / whole[place])
        total = expected.new_zeros(words).index_add_(0, first, expected)
        chance = expected / total[first]
    return Table(first, second, chance)


def likeliest(table: Table) -> Table:
    """Return the likeliest target word of each source word, by source word.

    >>> few = ibm1([[0, 1], [0]], [[5, 6], [5]], 9)
    >>> [column.tolist() for column in likeliest(few)][:2]
    [[0, 1], [5, 6]]
    """
    order = table.chance.argsort(stable=True)
    order = order[table.source[order].argsort(stable=True)]
    source = table.source[order]
    last = torch.ones_like(source, dtype=torch.bool)
    last[:-1] = source[1:] != source[:-1]
    return Table(*(column[order[last]] for column in table))


def meetings(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return all words that meet: source word, target word, and the target word's place.

    Places are counted through all sentences.

    >>> [part.tolist() for part in meetings([[7, 8], [9]], [[5], [4, 4]])]
    [[7, 8, 9, 9], [5, 5, 4, 4], [0, 0, 1, 2]]
    """
    long = torch.tensor([len(sentence) for sentence in sources], dtype=torch.int64)
    wide = torch.tensor([len(sentence) for sentence in targets], dtype=torch.int64)
    from_words = torch.tensor([word for one in sources for word in one], dtype=torch.int64)
    to_words = torch.tensor([word for one in targets for word in one], dtype=torch.int64)
    # Place j of sentence s meets words start_s ... start_s + long_s - 1 of the source.
    repeats, starts = long.repeat_interleave(wide), (long.cumsum(0) - long).repeat_interleave(wide)
    place = torch.arange(len(to_words)).repeat_interleave(repeats)
    before = (repeats.cumsum(0) - repeats).repeat_interleave(repeats)
    which = starts.repeat_interleave(repeats) + torch.arange(len(place)) - before
    return from_words[which], to_words[place], place
