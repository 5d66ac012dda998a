"""Learning rates by the step: reference numbers, torch's one-cycle, no jumps."""

import math
import warnings
from itertools import pairwise

import pytest
import torch

from gradatim.core.recipe import Schedule
from gradatim.ops.schedules import schedule

SMOOTH = ("constant", "exponential", "inverse", "cosine", "onecycle")


def rates(steps: int, rate: float = 1.0, **plan: object) -> list[float]:
    at = schedule(Schedule.parse({"warmup": 0, **plan}), rate, steps)
    return [at(step) for step in range(steps)]


def test_constant():
    assert rates(3, 0.2, name="constant") == [0.2, 0.2, 0.2]


def test_step_halves_every_fifth_of_the_run():
    """Ten steps, moves after 2, 4, 6 and 8."""
    expected = [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625, 0.0625]
    assert rates(10, name="step") == expected
    assert rates(4, name="step", factor=0.1, every=0.5) == pytest.approx([1, 1, 0.1, 0.1])


@pytest.mark.parametrize("every", [0.1, 0.2, 0.3, 0.7])
def test_step_moves_as_often_as_the_share_says_in_spite_of_rounding(every):
    """Step s of 100 has moved floor(s / (100 every)) times, counted here in whole numbers."""
    moves = round(100 * every)
    expected = [0.5 ** (step // moves) for step in range(100)]
    assert rates(100, name="step", every=every) == expected


def test_exponential_is_e_to_the_minus_k_t():
    found = rates(4, name="exponential", decay=2.0)
    assert found == pytest.approx([1, math.exp(-0.5), math.exp(-1), math.exp(-1.5)])


def test_inverse_is_one_over_one_plus_k_t():
    assert rates(4, name="inverse", decay=4.0) == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])


def test_cosine_is_torchs():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.3)
    peer = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    assert rates(20, 0.3, name="cosine") == pytest.approx(_torchs(optimizer, peer, 20))


def test_onecycle_is_torchs_where_both_have_a_step():
    """Torch is at its peak at step 0.3 n - 1 and at its end at n - 1; ours at 0.3 n and at n.

    So torch's cycle over the points of time is compared, each side by itself: 31 and 71 points
    for 101 steps, of which ours has all but the last.
    """
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0, momentum=0.9)
    peer = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.4, total_steps=101, pct_start=31 / 101, div_factor=25, final_div_factor=400
    )
    theirs = _torchs(optimizer, peer, 101)
    ours = rates(100, 0.4, name="onecycle")
    assert theirs[0] == pytest.approx(0.4 / 25)
    assert theirs[100] == pytest.approx(0.4 / 10_000)
    assert ours == pytest.approx(theirs[:100], abs=1e-9)


def _torchs(optimizer, peer, steps: int) -> list[float]:
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there is nothing to step over: only rates are read
        for _ in range(steps):
            found.append(optimizer.param_groups[0]["lr"])
            peer.step()
    return found


@pytest.mark.parametrize("name", [*SMOOTH, "step"])
def test_a_warm_up_rises_in_equal_steps_to_the_rate(name):
    """A fifth of 50 steps: 0.1, 0.2, ... 1, and the plan begins after it."""
    warm = rates(50, name=name, warmup=0.2)
    assert warm[:10] == pytest.approx([0.1 * k for k in range(1, 11)])
    assert warm[10:] == pytest.approx(rates(40, name=name))


@pytest.mark.parametrize("name", SMOOTH)
def test_no_jumps(name):
    """Of 10,000 steps, none changes the rate by more than 0.1 % of the highest."""
    found = rates(10_000, name=name)
    assert max(abs(b - a) for a, b in pairwise(found)) < 1e-3


@pytest.mark.parametrize("name", [*SMOOTH, "step"])
def test_never_above_the_rate_and_never_zero(name):
    """Also in runs of one or two steps, where shares round badly."""
    for steps in (1, 2, 3, 7, 100):
        for warmup in (0.0, 0.05, 0.9):
            found = rates(steps, 0.3, name=name, warmup=warmup)
            assert all(0 < rate <= 0.3 + 1e-12 for rate in found)


@pytest.mark.parametrize("name", ["step", "exponential", "inverse", "cosine"])
def test_decays_never_rise(name):
    found = rates(97, name=name)
    assert all(b <= a for a, b in pairwise(found))
