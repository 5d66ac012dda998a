"""The story of memory: the adding problem, the gradients by the states, and what came of both."""

from functools import cache

import pytest
import torch
from torch import nn

from gradatim.explain.stories import memory
from gradatim.explain.stories.memory import adding_problem, state_gradients, tell
from gradatim.report.stories import STORY_PAGES
from gradatim.session.story import SENTENCES


@cache
def told() -> dict:
    return tell(0)


def test_sequences_have_two_marks_one_in_each_half_and_their_sum():
    samples = adding_problem(200, 0, "learnt")
    numbers, marks = samples.inputs.unbind(2)
    assert samples.inputs.shape == (200, 100, 2)
    assert ((marks == 0) | (marks == 1)).all()
    assert (marks[:, :50].sum(1) == 1).all()
    assert (marks[:, 50:].sum(1) == 1).all()
    torch.testing.assert_close((numbers * marks).sum(1, keepdim=True), samples.targets)
    assert numbers.min() >= 0
    assert numbers.max() < 1


def test_sequences_are_a_function_of_seed_and_part():
    one = adding_problem(5, 0, "learnt").inputs
    assert torch.equal(one, adding_problem(5, 0, "learnt").inputs)
    assert not torch.equal(one, adding_problem(5, 1, "learnt").inputs)
    assert not torch.equal(one, adding_problem(5, 0, "new").inputs)


def test_who_answers_one_is_wrong_by_a_sixth():
    sums = adding_problem(100_000, 0, "new").targets
    assert (sums - 1).square().mean().item() == pytest.approx(1 / 6, abs=0.002)


@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU, nn.LSTM])
def test_gradients_by_the_states_are_those_of_differences(cell):
    """The state after a step is moved by a little; torch's own cell reads on from there."""
    torch.manual_seed(0)
    network = cell(2, 3, batch_first=True).double()
    head, x, t = nn.Linear(3, 1).double(), torch.randn(1, 6, 2).double(), torch.randn(1, 1).double()
    found = state_gradients(network, head, x, t)
    assert found.shape == (6, 1)
    for k in range(6):
        _, state = network(x[:, : k + 1])
        parts = [s.detach().clone() for s in (state if isinstance(state, tuple) else (state,))]

        def loss(parts: list[torch.Tensor], k: int = k) -> torch.Tensor:
            if k == 5:
                last = parts[0]
            else:
                _, last = network(x[:, k + 1 :], tuple(parts) if len(parts) > 1 else parts[0])
                last = last[0] if isinstance(last, tuple) else last
            return (head(last[-1]) - t).square().sum()

        squares = torch.zeros((), dtype=torch.float64)
        for part in parts:
            for i in range(3):
                up, down = ([p.clone() for p in parts] for _ in range(2))
                place = next(n for n, p in enumerate(parts) if p is part)
                up[place][0, 0, i] += 1e-5
                down[place][0, 0, i] -= 1e-5
                squares += ((loss(up) - loss(down)) / 2e-5) ** 2
        assert found[k, 0].item() == pytest.approx(squares.sqrt().item(), rel=1e-5)


def test_a_short_story_has_all_its_numbers(monkeypatch):
    monkeypatch.setattr(memory, "STEPS", 50)
    monkeypatch.setattr(memory, "ROWS", 200)
    monkeypatch.setattr(memory, "NEW", 100)
    facts = tell(0)
    assert [run["cell"] for run in facts["runs"]] == ["rnn", "lstm", "gru"]
    for run in facts["runs"]:
        assert len(run["errors"]) == 2
        assert len(run["before"]) == len(run["after"]) == 100
        assert all(norm >= 0 for norm in run["before"] + run["after"])
    assert tell(0) == facts
    page = STORY_PAGES["memory"](facts)
    assert page.count("<svg") >= 3
    assert "nan" not in page
    assert "100 numbers two are marked" in page
    assert "plain RNN" in SENTENCES["memory"](facts)


@pytest.mark.slow
def test_a_plain_network_stays_at_one_sixth_where_an_lstm_is_below_one_hundredth():
    plain, lstm, gru = told()["runs"]
    assert abs(plain["error"] - 1 / 6) < 0.02
    assert min(plain["errors"]) > 0.15
    assert lstm["error"] < 0.01
    assert gru["error"] < 0.01
    assert told()["constant"] == pytest.approx(1 / 6, abs=0.006)


@pytest.mark.slow
def test_the_gradient_of_the_plain_network_does_not_come_back():
    plain, lstm, gru = told()["runs"]
    assert plain["after"][49] < 1e-6 * plain["after"][-1]
    for gated in (lstm, gru):
        assert gated["after"][0] > 1e-3 * gated["after"][-1]
    # Before training it fades in all of them.
    assert all(run["before"][0] < 0.01 * run["before"][-1] for run in told()["runs"])
