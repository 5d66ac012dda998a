"""The range test on a loss whose limits are known, and how it ends."""

import math
from itertools import pairwise

import pytest
import torch

from gradatim.core.errors import NumericError
from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Signature, Table
from gradatim.models import RUNGS
from gradatim.tasks import TASKS
from gradatim.train.range_test import range_test, suggest

SIGNATURE = Signature(
    input=Table(columns=(Column(name="x", kind="numeric"), Column(name="y", kind="numeric"))),
    output=Category(names=("no", "yes")),
)


def run(low=1e-5, high=100.0, steps=60, **recipe):
    inputs = torch.randn(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    samples = Samples(inputs, (inputs[:, 0] > 0).long())
    plan = {"optimizer": {"name": "sgd", "weight_decay": 0.0}, "clip": 0.0, **recipe}
    rung = RUNGS["mlp"].of_size("tiny")
    task = TASKS["classify"]
    return range_test(
        rung, task, samples, SIGNATURE, Recipe.parse(plan), low=low, high=high, steps=steps
    )


def test_the_rate_grows_by_one_factor_from_low_to_high():
    test = run(high=0.1, steps=41)
    factors = [b / a for a, b in pairwise(test.rates)]
    assert test.rates[0] == pytest.approx(1e-5)
    assert test.rates[-1] == pytest.approx(0.1)
    assert factors == pytest.approx([10 ** (4 / 40)] * 40)
    assert test.ended == "the highest rate was reached"


def test_the_smoothed_loss_is_an_unbiased_moving_average():
    test = run(high=0.1, steps=20)
    for s in range(20):
        weights = [0.9 ** (s - k) for k in range(s + 1)]
        mean = sum(w * x for w, x in zip(weights, test.losses, strict=False)) / sum(weights)
        assert test.smoothed[s] == pytest.approx(mean)


def test_it_suggests_a_rate_that_learns_and_ends_where_it_breaks():
    test = run()
    assert 1e-3 < test.suggested < 3, "far from both ends of the range"
    assert test.suggested <= test.lowest / 10 * (1 + 1e-9)
    assert test.steepest <= test.lowest
    again = run()
    assert again.losses == test.losses, "chance is a function of seed and step"


def test_a_test_that_breaks_at_once_says_so():
    with pytest.raises(NumericError, match="lower --low"):
        run(low=1e20, high=1e30, optimizer={"name": "sgd", "lr": 1.0})


def test_suggest_on_a_curve_with_a_known_slope():
    """A logistic fall in log rate around 10^-2 and a wall from 1 on: steepest is at 10^-2."""
    rates = [10 ** (-5 + 6 * k / 299) for k in range(300)]
    logs = [math.log10(r) for r in rates]
    losses = [2 - 1.5 / (1 + math.exp(-4 * (x + 2))) + max(0.0, x) ** 2 * 50 for x in logs]
    steepest, lowest = suggest(rates, losses)
    assert math.log10(steepest) == pytest.approx(-2, abs=0.03)
    assert math.log10(lowest) == pytest.approx(0, abs=0.1)


def test_a_loss_that_only_rises_suggests_its_start():
    steepest, lowest = suggest([1e-3, 1e-2, 1e-1], [1.0, 2.0, 3.0])
    assert steepest == lowest == 1e-3
