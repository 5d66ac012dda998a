"""IBM model 1 against the same in plain Python, and the example of the textbooks."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
import torch

from gradatim.ops.translation.alignment import ibm1, meetings

TEXTBOOK = [("das Haus", "the house"), ("das Buch", "the book"), ("ein Buch", "a book")]


def numbered(sentences: list[str]) -> tuple[list[list[int]], list[str]]:
    words = sorted({word for sentence in sentences for word in sentence.split()})
    return [[words.index(word) for word in sentence.split()] for sentence in sentences], words


def slowly(pairs: list[tuple[str, str]], steps: int) -> dict[tuple[str, str], float]:
    """The algorithm box of Brown et al., loop for loop: t(e | f)."""
    english = {e for _, target in pairs for e in target.split()}
    chance = defaultdict(lambda: 1.0 / len(english))
    for _ in range(steps):
        count, total = defaultdict(float), defaultdict(float)
        for source, target in pairs:
            for e in target.split():
                whole = sum(chance[e, f] for f in source.split())
                for f in source.split():
                    count[e, f] += chance[e, f] / whole
                    total[f] += chance[e, f] / whole
        chance = defaultdict(float, {(e, f): c / total[f] for (e, f), c in count.items()})
    return chance


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_is_the_algorithm_of_the_paper(steps):
    pairs = [*TEXTBOOK, ("das das Haus", "the old the house"), ("Buch", "book")]
    sources, german = numbered([source for source, _ in pairs])
    targets, english = numbered([target for _, target in pairs])
    table = ibm1(sources, targets, steps)
    expected = slowly(pairs, steps)
    found = {
        (english[e], german[f]): p for f, e, p in zip(*(c.tolist() for c in table), strict=True)
    }
    assert found.keys() == expected.keys()
    for key, chance in found.items():
        assert chance == pytest.approx(expected[key], rel=1e-12)


def test_the_textbook_example_finds_the_words():
    """Koehn 2010, figure 4.4: after some steps each word has its own."""
    sources, german = numbered([source for source, _ in TEXTBOOK])
    targets, english = numbered([target for _, target in TEXTBOOK])
    table = ibm1(sources, targets, 30)
    best = {
        german[f]: english[e]
        for f, e, p in zip(*(c.tolist() for c in table), strict=True)
        if p > 0.9
    }
    assert best == {"das": "the", "Haus": "house", "Buch": "book", "ein": "a"}


def test_chances_of_a_source_word_sum_to_one():
    chance = np.random.default_rng(0)
    sources = [chance.integers(0, 20, chance.integers(1, 6)).tolist() for _ in range(30)]
    targets = [chance.integers(0, 15, chance.integers(1, 6)).tolist() for _ in range(30)]
    table = ibm1(sources, targets, 4)
    total = torch.zeros(20, dtype=torch.float64).index_add_(0, table.source, table.chance)
    torch.testing.assert_close(
        total[table.source.unique()], torch.ones_like(table.source.unique().double())
    )


def test_likelihood_never_falls():
    sources, _ = numbered([source for source, _ in TEXTBOOK])
    targets, _ = numbered([target for _, target in TEXTBOOK])

    def likelihood(steps: int) -> float:
        table = ibm1(sources, targets, steps)
        chance = {(s, t): p for s, t, p in zip(*(column.tolist() for column in table), strict=True)}
        pairs = zip(sources, targets, strict=True)
        sums = [sum(chance[f, e] for f in said) for said, due in pairs for e in due]
        return float(np.log(sums).sum())

    found = [likelihood(steps) for steps in range(1, 9)]
    assert all(after > before for before, after in pairwise(found))


def test_an_empty_sentence_meets_nothing():
    source, target, place = meetings([[], [3], [4]], [[1, 2], [], [5]])
    assert (source.tolist(), target.tolist(), place.tolist()) == ([4], [5], [2])
    assert len(ibm1([[]], [[]], 3).chance) == 0
