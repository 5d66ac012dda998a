"""Passages as one text, read in pieces or at once, and what a character costs."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.ops.text.likelihood import bits_per_character, nats_per_character, perplexity
from gradatim.ops.text.reading import nats_of
from gradatim.ops.text.running import Running, beginnings, running

PAD, BEGIN = 0, 1


def text_of(rows: list[list[int]], numbers: list[int] | None = None) -> Running:
    longest = max(map(len, rows))
    passages = torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])
    known = None if numbers is None else torch.tensor(numbers)
    return running(passages, beginnings(known, len(rows)), begin=BEGIN, pad=PAD)


def test_passages_that_follow_one_another_are_one_text():
    text = text_of([[5, 6, 7], [8], [9, 4]])
    assert text.tokens.tolist() == [5, 6, 7, 8, 9, 4]
    assert text.before.tolist() == [BEGIN, 5, 6, 7, 8, 9]
    assert text.place.tolist() == list(range(6))
    assert text.row.tolist() == [0, 0, 0, 1, 2, 2]


def test_a_gap_is_a_beginning():
    text = text_of([[5, 6], [7], [8, 9]], numbers=[3, 7, 8])
    assert text.before.tolist() == [BEGIN, 5, BEGIN, 7, 8]
    assert text.place.tolist() == [0, 1, 0, 1, 2]


@given(
    st.lists(st.lists(st.integers(4, 9), min_size=1, max_size=5), min_size=1, max_size=8),
    st.data(),
)
def test_every_token_stands_behind_the_one_before_it(rows, data):
    numbers = data.draw(st.lists(st.integers(0, 99), min_size=len(rows), max_size=len(rows)))
    text = text_of(rows, numbers)
    assert text.tokens.tolist() == [token for row in rows for token in row]
    for i in range(len(text.tokens)):
        begins = i == 0 or (
            text.row[i] != text.row[i - 1]
            and numbers[int(text.row[i])] != numbers[int(text.row[i - 1])] + 1
        )
        assert text.place[i] == (0 if begins else text.place[i - 1] + 1)
        assert text.before[i] == (BEGIN if begins else text.tokens[i - 1])


def summing(tokens, memory):
    """A reader whose answer depends on the sum of all it has read: any slip of memory shows."""
    before = torch.zeros(len(tokens), 1) if memory is None else memory
    sums = before + tokens.cumsum(1)
    logits = torch.cos(sums[:, :, None] * torch.arange(1, 11) * 0.37)
    return logits, sums[:, -1:]


@pytest.mark.parametrize("together", [4, 7, 4096])
@pytest.mark.parametrize("runs", [1, 2, 32])
def test_reading_in_pieces_and_side_by_side_is_reading_in_one_go(monkeypatch, together, runs):
    monkeypatch.setattr("gradatim.ops.text.reading.TOGETHER", together)
    monkeypatch.setattr("gradatim.ops.text.reading.RUNS", runs)
    chance = np.random.default_rng(0)
    rows = [chance.integers(4, 10, size).tolist() for size in (5, 5, 3, 5, 1, 4, 5)]
    numbers = [0, 1, 2, 10, 20, 30, 31]
    text = text_of(rows, numbers)
    expected = []
    for run in (rows[:3], rows[3:4], rows[4:5], rows[5:]):
        tokens = [token for row in run for token in row]
        logits, _ = summing(torch.tensor([[BEGIN, *tokens[:-1]]]), None)
        expected.append(
            torch.nn.functional.cross_entropy(logits[0], torch.tensor(tokens), reduction="none")
        )
    torch.testing.assert_close(nats_of(summing, text, PAD), torch.cat(expected))


def test_scores_are_of_all_characters_together():
    nats, characters = np.array([4.0, 2.0]), np.array([2, 4])
    assert nats_per_character(nats, characters) == 1.0
    assert bits_per_character(nats, characters) == pytest.approx(1 / math.log(2))
    assert perplexity(nats, characters) == pytest.approx(math.e)
    assert math.isnan(nats_per_character(np.array([]), np.array([], dtype=int)))
