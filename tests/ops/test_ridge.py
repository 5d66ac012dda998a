import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from gradatim.ops.ridge import ridge_path

PENALTIES = torch.tensor([1e-3, 1.0, 100.0], dtype=torch.float64)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(40, 5), (8, 20)], ids=["tall", "wide"])
def test_equals_scikit_learn_at_every_penalty(shape):
    # One eigendecomposition against one Cholesky each: condition at most 1e5 times 2e-16.
    x, t = normal(*shape), normal(shape[0], 2, seed=1)
    path = ridge_path(x, t, PENALTIES)
    for place, penalty in enumerate(PENALTIES.tolist()):
        theirs = Ridge(alpha=penalty).fit(x.numpy(), t.numpy())
        assert np.allclose(path.weights[place].T, theirs.coef_, rtol=0, atol=1e-9)
        assert np.allclose(path.bias[place], theirs.intercept_, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", [(15, 4), (6, 12)], ids=["tall", "wide"])
def test_held_out_equals_fits_without_the_row(shape):
    # The wide case divides by 1 - leverage near 1e-3 / 10, which costs four digits.
    x, t = normal(*shape), normal(shape[0], 2, seed=1)
    path = ridge_path(x, t, PENALTIES)
    for row in range(shape[0]):
        rest = torch.arange(shape[0]) != row
        part = ridge_path(x[rest], t[rest], PENALTIES)
        brute = x[row] @ part.weights + part.bias
        assert torch.allclose(path.held_out[:, row], brute, rtol=0, atol=1e-8)


def test_the_intercept_is_not_penalised():
    x, t = normal(30, 3), 1000 + normal(30, 1, seed=1)
    path = ridge_path(x - x.mean(0), t, torch.tensor([1e12], dtype=torch.float64))
    assert path.bias.item() == pytest.approx(t.mean().item(), rel=1e-12)
    assert path.weights.abs().max() < 1e-8


def test_constant_and_repeated_columns_stay_finite():
    x = normal(20, 1)
    x = torch.cat([x, x, torch.zeros(20, 1)], dim=1)
    path = ridge_path(x, x[:, :1], torch.tensor([1e-9], dtype=torch.float64))
    assert torch.isfinite(path.held_out).all()
    # Equal columns share; the penalty takes about 1e-9 / 20 of the weight.
    assert path.weights[0, :, 0].tolist() == pytest.approx([0.5, 0.5, 0], abs=1e-8)
