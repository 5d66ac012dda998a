"""Counts of n-grams against dictionaries, and the contexts that they may not look at."""

from collections import Counter, defaultdict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.layers.text.ngram_counts import NgramCounts
from gradatim.layers.text.tokens import BEGIN, PAD, UNKNOWN
from gradatim.ops.text.running import beginnings, running
from gradatim.ops.text.smoothing import discount

COUNT = 8  # tokens 4 to 7 are characters
BOTH = ["witten_bell", "kneser_ney"]
RUNS = [[4, 5, 4, 5, 6, 4, 5, 7, 4, 5, 4, 4, 6, 5], [5, 4, 5, 5, 6, 4, 5], [7, 7, 4, 5, 6]]


class Slow:
    """The same in plain Python, by the formulas: dictionaries of contexts."""

    def __init__(self, runs: list[list[int]], order: int, smoothing: str) -> None:
        self.order, self.smoothing = order, smoothing
        seen: list[dict] = [defaultdict(Counter) for _ in range(order)]
        for run in runs:
            whole = [BEGIN, *run]
            for i in range(1, len(whole)):
                for k in range(min(order, i + 1)):
                    seen[k][tuple(whole[i - k : i])][whole[i]] += 1
        self.counts = seen
        if smoothing == "kneser_ney":
            self.counts = [self.histories(seen, k) for k in range(order)]
        flat = [[n for c in counts.values() for n in c.values()] for counts in self.counts]
        self.less = [discount(torch.tensor(each)) for each in flat]

    def histories(self, seen: list[dict], k: int) -> dict:
        if k == self.order - 1:
            return seen[k]
        told: dict = defaultdict(Counter)
        for context, words in seen[k].items():
            for word, often in words.items():
                before = {c[0] for c, w in seen[k + 1].items() if c[1:] == context and word in w}
                told[context][word] = len(before) or often
        return told

    def __call__(self, context: list[int], word: int, k: int | None = None) -> float:
        k = self.order - 1 if k is None else k
        if k < 0:
            return 1 / (COUNT - UNKNOWN) if word >= UNKNOWN else 0.0
        lower = self(context, word, k - 1)
        own = self.counts[k].get(tuple(context[len(context) - k :])) if len(context) >= k else None
        if not own:
            return lower
        total, kinds = sum(own.values()), len(own)
        if self.smoothing == "witten_bell":
            return (own[word] + kinds * lower) / (total + kinds)
        return (max(own[word] - self.less[k], 0) + self.less[k] * kinds * lower) / total


def counted(order: int, smoothing: str, runs: list[list[int]] = RUNS) -> NgramCounts:
    longest = max(map(len, runs))
    passages = torch.tensor([run + [PAD] * (longest - len(run)) for run in runs])
    begins = beginnings(torch.arange(len(runs)) * 2, len(runs))
    text = running(passages, begins, begin=BEGIN, pad=PAD)
    return NgramCounts(order, smoothing, COUNT, {}).fill(text)


@pytest.mark.parametrize("smoothing", BOTH)
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_are_those_of_plain_python(order, smoothing):
    """At the beginning of a text, after what was seen, and after what was not."""
    network, slow = counted(order, smoothing), Slow(RUNS, order, smoothing)
    for seen in ([BEGIN], [BEGIN, 4, 5], [4, 5, 4, 5], [6, 7, 6], [5, UNKNOWN, 5], [7, 7, 7, 7, 4]):
        said = network(torch.tensor([seen]))[0, -1].double().exp()
        expected = torch.tensor([slow(seen, word) for word in range(COUNT)], dtype=torch.float64)
        torch.testing.assert_close(said, expected, atol=1e-7, rtol=1e-6)


def test_witten_bell_of_a_bigram_by_hand():
    """After 6 came 4 and 5, once each in "64 65"; single tokens: 6 twice, 4 and 5 once, of 4.

    Below lies 1/5 for each of the 5 tokens that stand for something. p(4) = (1 + 3/5) / 7 = 8/35;
    p(4 | 6) = (1 + 2 (8/35)) / 4 = 51/140.
    """
    network = counted(2, "witten_bell", [[6, 4, 6, 5]])
    said = network(torch.tensor([[6]]))[0, 0].exp()
    assert said[4].item() == pytest.approx(51 / 140, rel=1e-6)


@given(st.lists(st.integers(1, COUNT - 1), min_size=1, max_size=12))
@pytest.mark.parametrize("smoothing", BOTH)
def test_probabilities_sum_to_one_after_any_context(smoothing, context):
    said = counted(4, smoothing)(torch.tensor([context])).double().exp()
    torch.testing.assert_close(said.sum(2), torch.ones_like(said[:, :, 0]), atol=1e-6, rtol=0)
    assert (said[:, :, UNKNOWN:] > 0).all()
    assert (said[:, :, :UNKNOWN] < 1e-30).all()


@pytest.mark.parametrize("smoothing", BOTH)
def test_a_token_changes_nothing_that_was_said_before_it(smoothing):
    network, tokens = counted(4, smoothing), torch.tensor([RUNS[0]])
    whole = network(tokens)
    for place in range(tokens.shape[1]):
        changed = tokens.clone()
        changed[0, place] = 7 if tokens[0, place] != 7 else 6
        said = network(changed)
        assert torch.equal(said[:, :place], whole[:, :place])
        assert not torch.equal(said[:, place], whole[:, place])


@pytest.mark.parametrize("size", [1, 2, 5, 13])
def test_read_in_pieces_it_says_the_same(size):
    network, tokens = counted(4, "kneser_ney"), torch.tensor([RUNS[0], RUNS[0][::-1]])
    memory, said = None, []
    for piece in tokens.split(size, dim=1):
        logits, memory = network.read(piece, memory)
        said.append(logits)
    assert torch.equal(torch.cat(said, 1), network(tokens))


def test_many_places_are_worked_out_in_parts(monkeypatch):
    network, tokens = counted(3, "witten_bell"), torch.tensor([RUNS[0]])
    whole = network(tokens)
    monkeypatch.setattr("gradatim.layers.text.ngram_counts.TOGETHER", 3 * COUNT)
    assert torch.equal(network(tokens), whole)


def test_nothing_is_remembered_across_a_beginning():
    """Runs that are counted apart know of no n-gram that spans two of them."""
    apart, joined = counted(2, "witten_bell", [[4, 5], [6, 7]]), Slow([[4, 5, 6, 7]], 2, BOTH[0])
    assert joined.counts[1][5,][6] == 1
    said = apart(torch.tensor([[5]]))[0, 0]
    assert torch.equal(said, apart(torch.tensor([[UNKNOWN]]))[0, 0])


def test_counts_come_back_from_their_sizes():
    network = counted(3, "kneser_ney")
    empty = NgramCounts(3, "kneser_ney", COUNT, network.extents)
    empty.load_state_dict(network.state_dict())
    tokens = torch.tensor([RUNS[1]])
    assert torch.equal(empty(tokens), network(tokens))
    assert network.extents["pairs_0"] == 4
