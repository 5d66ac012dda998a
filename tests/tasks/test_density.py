"""Density: noise over the grain of discrete data, and bits that a code would need."""

import numpy as np
import pytest
import torch
from torch import nn

from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Density, Image, Signature, Table
from gradatim.evaluate.judge import judge
from gradatim.models.generative.gaussian import Gaussian
from gradatim.models.generative.spline_flow import SplineFlow
from gradatim.tasks.density import TASK
from gradatim.train.fitting import Fitting

IMAGE = Image(channels=1, height=2, width=3)
PICTURES = Signature(input=IMAGE, output=Density(grains=(1.0,), levels=4))
COLUMNS = tuple(Column(name=name, kind="numeric") for name in "ab")
CELLS = Signature(input=Table(columns=COLUMNS), output=Density(grains=(0.0, 0.5)))


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(rows: int) -> Samples:
    """Levels 0 to 3, all alike: nothing can say them in less than 2 bits a pixel."""
    levels = torch.randint(0, 4, (rows, 1, 2, 3), generator=chance()).to(torch.uint8)
    return Samples(levels, torch.zeros(rows, 1))


class Uniform(nn.Module):
    """The true density of `pictures`: 1/4 for every number in [0, 4)."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        assert rows.min() >= 0
        assert rows.max() < 4
        return rows.flatten(1).shape[1] * torch.full((len(rows),), 0.25).log()


def test_takes_densities_alone_and_knows_their_grains():
    assert TASK.suits(PICTURES)
    assert not TASK.suits(Signature(input=IMAGE, output=Category(names=("a", "b"))))
    assert (TASK.of(PICTURES).numbers, TASK.of(PICTURES).grains) == (6, (1.0,))
    assert (TASK.of(CELLS).numbers, TASK.of(CELLS).grains) == (2, (0.0, 0.5))


def test_noise_fills_the_grain_and_nothing_else():
    task, cells = TASK.of(CELLS), torch.tensor([[3.0, 1.5]], dtype=torch.float64).repeat(4000, 1)
    noisy = task.renewed(Samples(cells, torch.zeros(4000, 1)), chance()).inputs
    assert torch.equal(noisy[:, 0], cells[:, 0]), "a continuous column keeps its values"
    assert noisy[:, 1].min() >= 1.5
    assert noisy[:, 1].max() < 2.0
    assert float(noisy[:, 1].mean()) == pytest.approx(1.75, abs=0.01)
    again = task.renewed(Samples(cells, torch.zeros(4000, 1)), chance(1)).inputs
    assert not torch.equal(again, noisy)


def test_the_true_density_has_the_bits_of_the_entropy():
    task, samples = TASK.of(PICTURES), pictures(50)
    found = judge(Uniform(), task, task.metrics["bits_per_dim"], samples)
    assert found.score == pytest.approx(2.0, abs=1e-6)
    assert found.scores["nats"] == pytest.approx(-6 * np.log(4), abs=1e-5)
    np.testing.assert_array_equal(found.quality, task.answers(Uniform(), samples))


def test_units_change_nats_and_not_the_bits_of_discrete_data():
    """In metres or millimetres: a grain is a grain."""
    bits = []
    for unit in (1.0, 1000.0):
        output = Density(grains=(0.5 * unit, unit))
        signature = Signature(input=Table(columns=COLUMNS), output=output)
        whole = torch.randint(0, 9, (200, 2), generator=chance()).double()
        samples = Samples(whole * torch.tensor([0.5, 1.0]) * unit, torch.zeros(200, 1))
        task = TASK.of(signature)
        model = Gaussian().solve(task.renewed(samples, chance()), signature, seed=0)
        bits.append(judge(model, task, task.metrics["bits_per_dim"], samples).score)
    assert bits[0] == pytest.approx(bits[1], abs=1e-9)
    assert bits[0] > np.log2(9), "uniform levels have 3.17 bits, and a normal needs more"


def trained(task) -> float:
    """Bits a number that a flow claims to need for levels that nothing can say in under 2."""
    samples = pictures(256)
    rung = SplineFlow(layers=1, bins=8, width=16, dropout=0.0)
    recipe = rung.recipe(256, PICTURES)
    update = {"validation": 0.0, "epochs": 60}
    fitting = Fitting(rung, task, samples, PICTURES, recipe.model_copy(update=update))
    for _ in fitting:
        pass
    return judge(fitting.model, task, task.metrics["bits_per_dim"], pictures(256)).score


def test_a_flow_cannot_go_below_the_entropy():
    assert trained(TASK.of(PICTURES)) > 1.99


def test_without_noise_it_would_go_below_the_entropy(monkeypatch):
    """The guard of the test above: on the bare values a density grows without bound."""
    task = TASK.of(PICTURES)
    monkeypatch.setattr(type(task), "renewed", lambda self, batch, chance: batch)
    assert trained(task) < 1.5


def test_an_answer_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="log densities"):
        TASK.of(PICTURES).read(np.array([1.0, np.nan]), pictures(2))
