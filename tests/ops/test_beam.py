"""Beam search against all sentences, and its edges."""

from itertools import product

import pytest
import torch
from torch import Tensor

from gradatim.ops.translation.beam import State, beam_search, length_penalty

WORDS, BEGIN, END = 5, 0, 1


class Chain:
    """A model whose next word depends on the last one and on the source alone."""

    def __init__(self, rows: int, seed: int = 0) -> None:
        chance = torch.Generator().manual_seed(seed)
        self.logits = 2 * torch.randn(rows, WORDS, WORDS, generator=chance)
        self.asked: list[int] = []

    def say(self, words: Tensor, state: State, source: State) -> tuple[Tensor, State]:
        (count,), (rows,) = state, source
        self.asked.append(len(rows))
        return self.logits[rows[:, None], words], (count + 1,)

    def found(self, limits: Tensor, **choices: float) -> list[list[int]]:
        rows = torch.arange(len(limits))
        start = (torch.zeros(len(limits), 1),)
        said = beam_search(
            self.say, start, (rows,), limits, begin=BEGIN, end=END, banned=(BEGIN,), **choices
        )
        return [[word for word in row if word] for row in said.tolist()]

    def score(self, row: int, sentence: list[int], alpha: float) -> float:
        chances = self.logits[row].index_fill(1, torch.tensor([BEGIN]), -torch.inf).log_softmax(1)
        steps = zip([BEGIN, *sentence], [*sentence, END], strict=True)
        return float(sum(chances[a, b] for a, b in steps)) / length_penalty(
            len(sentence) + 1, alpha
        )

    def best(self, row: int, limit: int, alpha: float) -> list[int]:
        """The best of all sentences, one by one."""
        spoken = range(2, WORDS)
        every = [list(s) for n in range(limit) for s in product(spoken, repeat=n)]
        return max(every, key=lambda sentence: self.score(row, sentence, alpha))


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_wide_enough_finds_the_best_of_all_sentences(alpha: float, seed: int):
    chain, limits = Chain(6, seed), torch.tensor([1, 2, 3, 4, 5, 5])
    found = chain.found(limits, beams=3**5, alpha=alpha)
    for row, limit in enumerate(limits.tolist()):
        if limit > 1:
            assert found[row] == chain.best(row, limit, alpha)


def test_one_beam_takes_the_likeliest_word_each_time():
    chain = Chain(8, 3)
    for row, said in enumerate(chain.found(torch.full((8,), 6), beams=1)):
        word, expected = BEGIN, []
        for _ in range(6):
            word = int(chain.logits[row, word, 1:].argmax()) + 1
            if word == END:
                break
            expected.append(word)
        assert said == expected


def test_rows_do_not_change_one_another():
    chain, limits = Chain(8, 5), torch.arange(2, 10)
    together = chain.found(limits, beams=3)
    for row in range(8):
        alone = Chain(1)
        alone.logits = chain.logits[row : row + 1]
        assert alone.found(limits[row : row + 1], beams=3)[0] == together[row]


def test_rows_that_are_done_are_not_asked_any_more():
    chain = Chain(8, 5)
    chain.found(torch.arange(1, 9), beams=2)
    assert chain.asked == sorted(chain.asked, reverse=True)
    assert chain.asked[-1] < 8


def test_what_never_ends_stops_at_its_limit():
    chain = Chain(3)
    chain.logits[:, :, END] = -50.0
    assert [len(row) for row in chain.found(torch.tensor([2, 5, 3]), beams=2)] == [2, 5, 3]


def test_a_wider_beam_is_never_needed_for_one_word():
    """More beams than continuations: nothing breaks, and banned words are not said."""
    said = Chain(2, 1).found(torch.tensor([1, 2]), beams=50)
    assert all(word != BEGIN for row in said for word in row)


def test_a_longer_sentence_wins_where_length_is_forgiven():
    chain = Chain(1)
    chain.logits = torch.full((1, WORDS, WORDS), -9.0)
    chain.logits[0, BEGIN, END], chain.logits[0, BEGIN, 2] = 0.3, 0.0
    chain.logits[0, 2, 3] = chain.logits[0, 3, 4] = chain.logits[0, 4, END] = 5.0
    assert chain.found(torch.tensor([6]), beams=9, alpha=0.0) == [[]]
    assert chain.found(torch.tensor([6]), beams=9, alpha=2.0) == [[2, 3, 4]]
