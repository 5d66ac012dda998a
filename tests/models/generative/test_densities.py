"""Rungs that know densities: what they choose, and flows that undo themselves as a whole."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import hadamard
from sklearn.datasets import load_digits
from sklearn.mixture import GaussianMixture as Peer

from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Column, Density, Image, Signature, Synthesis, Table
from gradatim.evaluate.judge import judge
from gradatim.models import RUNGS
from gradatim.models.generative.gaussian import Gaussian
from gradatim.models.generative.gaussian_mixture import GaussianMixture
from gradatim.models.generative.pca import Pca
from gradatim.models.generative.spline_flow import SplineFlow
from gradatim.tasks.density import TASK
from gradatim.train.fitting import Fitting

FLOWS = ("realnvp", "glow", "spline_flow")
EIGHT = Image(channels=1, height=8, width=8)
DIGITS = Signature(input=EIGHT, output=Density(grains=(1.0,), levels=17))


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def digits() -> Samples:
    levels = torch.from_numpy(load_digits().images.astype(np.uint8))[:, None]
    return Samples(levels, torch.zeros(len(levels), 1))


def table(features: int) -> Signature:
    columns = tuple(Column(name=f"x{i}", kind="numeric") for i in range(features))
    return Signature(input=Table(columns=columns), output=Density(grains=(0.0,) * features))


def rows(cells: torch.Tensor) -> Samples:
    return Samples(cells.double(), torch.zeros(len(cells), 1))


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_undoes_itself_to_1e_5_of_a_level_times_ten(name):
    """At default size, fitted to nothing but its first batch; levels lie in [0, 17)."""
    torch.manual_seed(0)
    model = RUNGS[name]().build(DIGITS, {})
    noisy = TASK.of(DIGITS).renewed(digits().take(range(64)), chance()).inputs
    model.preprocess.fit(digits().inputs)
    x = model.preprocess(noisy)
    with torch.no_grad():
        model.network.train()(x)
        model.eval()
        z, _ = model.network.noise(x)
        back = model.preprocess.inverse(model.network.undone(z))
    torch.testing.assert_close(back, noisy.double(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", FLOWS)
def test_the_model_has_the_log_determinant_of_raw_rows(name):
    """log p(x) = log N(f(x)) + log |det df/dx|, with preprocessing and all, by autograd."""
    signature = Signature(
        input=Image(channels=1, height=4, width=4), output=Density(grains=(1.0,), levels=17)
    )
    torch.manual_seed(0)
    model = RUNGS[name].of_size("tiny").build(signature, {})
    levels = torch.randint(0, 17, (40, 1, 4, 4), generator=chance()).to(torch.uint8)
    model.preprocess.fit(levels)
    model.preprocess.dtype = torch.float64
    model.double().eval()
    x = levels[:1].double() + 0.5

    def noise(row: torch.Tensor) -> torch.Tensor:
        return model.network.noise(model.preprocess(row.view(1, 1, 4, 4)))[0].flatten()

    jacobian = torch.autograd.functional.jacobian(noise, x.flatten())
    z = noise(x.flatten())
    normal = -(z @ z + 16 * math.log(2 * math.pi)) / 2
    expected = normal + torch.linalg.slogdet(jacobian)[1]
    torch.testing.assert_close(model(x)[0], expected, atol=1e-9, rtol=0)


def test_a_small_spline_flow_beats_the_full_gaussian_on_digits():
    """2.95 bits a pixel; the default one reaches 2.0 (bench/results/density.json)."""
    samples, task = digits(), TASK.of(DIGITS)
    order = np.random.default_rng(0).permutation(len(samples))
    training, held = samples.take(order[:1000]), samples.take(order[1000:])
    metric = task.metrics["bits_per_dim"]
    gaussian = Gaussian().solve(task.renewed(training, chance()), DIGITS, seed=0)
    rung = SplineFlow(layers=1, bins=8, width=32, dropout=0.0)
    recipe = rung.recipe(1000, DIGITS).model_copy(update={"epochs": 6, "validation": 0.0})
    fitting = Fitting(rung, task, training, DIGITS, recipe)
    for _ in fitting:
        pass
    below = judge(gaussian, task, metric, held).score
    assert below == pytest.approx(2.95, abs=0.05)
    assert judge(fitting.model, task, metric, held).score < below - 0.3


def test_what_is_drawn_has_the_spread_of_what_was_learnt():
    """Two correlated columns; 2000 drawn rows, so covariances are known to 5 % or so."""
    x = torch.randn(2000, 2, generator=chance()) @ torch.tensor([[1.0, 0.8], [0.0, 0.6]])
    signature = Signature(input=table(2).input, output=Synthesis())
    for rung in (Gaussian(), Pca(), GaussianMixture(components=3)):
        model = rung.solve(rows(x), signature, seed=0)
        drawn = model.output(model.network.sample(2000, chance(1)))
        torch.testing.assert_close(torch.cov(drawn.T), torch.cov(x.T).double(), atol=0.1, rtol=0)


def test_held_out_rows_choose_how_many_directions():
    """Three directions of variance 25 beside 29 of 1, turned so that columns vary alike."""
    deviations = torch.tensor([5.0] * 3 + [1.0] * 29)
    turn = torch.from_numpy(hadamard(32)).float() / 32**0.5
    x = torch.randn(200, 32, generator=chance()) * deviations @ turn
    model = Pca().solve(rows(x), table(32), seed=0)
    assert model.extents == {"directions": 3}


def test_held_out_rows_choose_the_mixture():
    """Ten clouds far apart: three normals cannot be ten, and round clouds need no covariance."""
    centres = 20 * torch.randn(10, 4, generator=chance(3))
    x = centres.repeat(60, 1) + torch.randn(600, 4, generator=chance())
    model = GaussianMixture().solve(rows(x), table(4), seed=0)
    assert model.extents["components"] >= 10
    assert model.extents["full"] == 0


def test_the_mixture_has_the_density_of_scikit_learn_in_the_units_of_the_data():
    x = torch.randn(400, 3, generator=chance()) + 5 * (torch.arange(400) % 2)[:, None]
    x = 1000 * x
    rung = GaussianMixture(components=2, covariance="full", floor=1e-9)
    model = rung.solve(rows(x), table(3), seed=0)
    peer = Peer(2, random_state=0, reg_covar=0).fit(x.double().numpy())
    said = model(x.double()).numpy()
    np.testing.assert_allclose(said, peer.score_samples(x.double().numpy()), rtol=1e-6)


def test_a_column_that_never_varies_leaves_numbers_finite():
    x = torch.stack([torch.randn(50, generator=chance()), torch.full((50,), 7.0)], 1)
    for rung in (Gaussian(), Pca(), GaussianMixture(components=2)):
        assert rung.solve(rows(x), table(2), seed=0)(x.double()).isfinite().all()


def test_one_column_alone_has_a_density_too():
    x = torch.randn(100, 1, generator=chance())
    for name in ("gaussian", "pca", "gaussian_mixture", "realnvp", "spline_flow"):
        rung = RUNGS[name].of_size("tiny")
        fitting = Fitting(rung, TASK.of(table(1)), rows(x), table(1), Recipe(epochs=2, batch=16))
        for _ in fitting:
            pass
        assert fitting.model(x.double()).isfinite().all()


def test_wide_rows_and_odd_pictures_are_refused_with_a_rung_that_takes_them():
    wide = Signature(input=Image(channels=1, height=28, width=28), output=DIGITS.output)
    odd = Signature(input=Image(channels=1, height=9, width=8), output=DIGITS.output)
    assert "realnvp" in SplineFlow().refusal(wide).remedy
    assert "realnvp" in RUNGS["glow"]().refusal(odd).remedy
    assert RUNGS["realnvp"]().refusal(wide) is None
    assert RUNGS["realnvp"]().refusal(odd) is None
