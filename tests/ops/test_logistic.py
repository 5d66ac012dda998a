import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch.nn import functional as F

from gradatim.ops import logistic
from gradatim.ops.logistic import logistic_path

# Newton serves the first three, L-BFGS the last.
DATA = {"iris": load_iris, "wine": load_wine, "cancer": load_breast_cancer, "digits": load_digits}


def read(name, rows=400):
    data = DATA[name]()
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(data.target))[:rows]
    x = StandardScaler().fit_transform(data.data[order])
    return torch.from_numpy(x), torch.from_numpy(data.target[order])


def objective(fit, x, t):
    loss = F.cross_entropy(x @ fit.weights + fit.bias, t, reduction="sum")
    return (loss + fit.penalty / 2 * fit.weights.square().sum()).item()


@pytest.mark.parametrize("penalty", [100.0, 1.0, 0.1])
@pytest.mark.parametrize("name", DATA)
def test_equals_scikit_learn(name, penalty):
    x, t = read(name)
    classes = int(t.max()) + 1
    (fit,) = logistic_path(x, t, classes, [penalty], tolerance=1e-9)
    # For two classes scikit-learn penalises one vector that stands for the difference of our two.
    factor = 2 if classes == 2 else 1
    theirs = LogisticRegression(
        C=factor / penalty, solver="newton-cholesky", tol=1e-10, max_iter=1000
    ).fit(x.numpy(), t.numpy())
    p = (x @ fit.weights + fit.bias).softmax(1)
    # Both stop at a gradient near 1e-9 a row; the smallest curvature of a row is about 1e-4.
    assert np.allclose(p, theirs.predict_proba(x.numpy()), rtol=0, atol=1e-5)
    w = fit.weights.numpy()
    ours = (w[:, 1:] - w[:, :1]) if classes == 2 else w
    assert np.allclose(ours.T, theirs.coef_, rtol=0, atol=1e-5 * max(1.0, abs(w).max()))


@pytest.mark.parametrize("name", DATA)
def test_the_gradient_vanishes(name):
    x, t = read(name)
    for fit in logistic_path(x, t, int(t.max()) + 1, [10.0, 1.0], tolerance=1e-9):
        y = F.one_hot(t).double()
        slip = (x @ fit.weights + fit.bias).softmax(1) - y
        gradient = x.T @ slip + fit.penalty * fit.weights
        assert gradient.abs().max() / len(x) < 1e-6
        assert slip.sum(0).abs().max() / len(x) < 1e-6


def test_the_start_does_not_matter():
    x, t = read("wine")
    *_, warm = logistic_path(x, t, 3, [100.0, 10.0, 1.0, 0.1])
    (cold,) = logistic_path(x, t, 3, [0.1])
    assert torch.allclose(warm.weights, cold.weights, rtol=0, atol=1e-5)


@pytest.mark.parametrize("rows", [12, 60])
def test_more_columns_than_rows(rows):
    # The rotation to the span of the rows loses nothing: as good as the raw columns.
    x, t = read("digits", rows)
    t = t % 3
    (fit,) = logistic_path(x, t, 3, [1.0], tolerance=1e-9)
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000).fit(x.numpy(), t.numpy())
    assert np.allclose(fit.weights.T, theirs.coef_, rtol=0, atol=1e-5)


def test_without_rotation_the_answer_is_the_same(monkeypatch):
    x, t = read("digits", 200)
    (turned,) = logistic_path(x, t, 10, [1.0])
    monkeypatch.setattr(logistic, "_AXES", 0)
    (raw,) = logistic_path(x, t, 10, [1.0])
    assert torch.allclose(turned.weights, raw.weights, rtol=0, atol=1e-5)


def test_newton_and_descent_agree(monkeypatch):
    x, t = read("wine")
    (newton,) = logistic_path(x, t, 3, [1.0])
    monkeypatch.setattr(logistic, "_NEWTON_UNKNOWNS", 0)
    (descent,) = logistic_path(x, t, 3, [1.0])
    assert newton.steps < descent.steps
    assert torch.allclose(newton.weights, descent.weights, rtol=0, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_rows_that_a_plane_separates_stay_finite(scale):
    x = scale * torch.tensor([[-2.0], [-1.0], [1.0], [2.0]], dtype=torch.float64)
    t = torch.tensor([0, 0, 1, 1])
    for fit in logistic_path(x, t, 2, [1.0, 1e-3, 1e-6]):
        assert torch.isfinite(fit.weights).all()
        nudged = [fit.weights * 1.01, fit.weights * 0.99]
        for weights in nudged:
            other = logistic.Logistic(fit.penalty, weights, fit.bias, 0)
            assert objective(fit, x, t) <= objective(other, x, t)


@pytest.mark.parametrize("seed", [25, 206, 238, 251])
def test_a_newton_step_too_far_is_halved(seed):
    # Twelve rows with heavy tails and next to no penalty: from zero the full step overshoots.
    chance = torch.Generator().manual_seed(seed)
    x = torch.randn(12, 2, generator=chance, dtype=torch.float64) ** 3
    t = torch.randint(0, 3, (12,), generator=chance)
    (fit,) = logistic_path(x, t, 3, [1e-6])
    slip = (x @ fit.weights + fit.bias).softmax(1) - F.one_hot(t, 3)
    assert (x.T @ slip + fit.penalty * fit.weights).abs().max() < 1e-6


def test_a_class_without_rows_is_unlikely_but_possible():
    x, t = read("iris")
    keep = t != 1
    (fit,) = logistic_path(x[keep], t[keep], 3, [1.0])
    p = (x[keep] @ fit.weights + fit.bias).softmax(1)[:, 1]
    assert 0 < p.max() < 0.05
    assert not fit.weights[:, 1].any()


def test_one_class_alone_and_constant_columns():
    x = torch.zeros(5, 2, dtype=torch.float64)
    (fit,) = logistic_path(x, torch.ones(5, dtype=torch.int64), 2, [1.0])
    assert (x @ fit.weights + fit.bias).argmax(1).tolist() == [1] * 5
    (fit,) = logistic_path(x, torch.tensor([0, 0, 0, 0, 1]), 2, [1.0])
    # Nothing to see in the columns: the shares of the classes.
    assert fit.bias.softmax(0).tolist() == pytest.approx([0.8, 0.2], abs=1e-8)
