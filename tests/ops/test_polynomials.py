import numpy as np
import pytest
import torch
from sklearn.preprocessing import PolynomialFeatures

from gradatim.layers.polynomials import Monomials
from gradatim.ops.polynomials import (
    cross_degree,
    evaluate_basis,
    monomial_steps,
    orthogonal_basis,
    to_powers,
)


@pytest.fixture
def points():
    return torch.linspace(-1.7, 1.7, 60, dtype=torch.float64)


@pytest.mark.parametrize("bend", [lambda x: x, lambda x: (2 * x).exp()], ids=["even", "crowded"])
def test_the_basis_is_orthogonal(points, bend):
    # Two passes of Gram-Schmidt: orthogonal to some units of 1e-16.
    # One pass leaves 1e-11 where points crowd.
    basis, _ = orthogonal_basis(bend(points), 40)
    assert torch.allclose(basis.T @ basis / 60, torch.eye(41).double(), rtol=0, atol=1e-13)


def test_the_basis_can_be_evaluated_anywhere(points):
    basis, hessenberg = orthogonal_basis(points, 8)
    assert torch.allclose(evaluate_basis(points, hessenberg), basis, rtol=0, atol=1e-11)
    between = points[:-1] + 0.01
    polynomial = np.polynomial.Polynomial.fit(points.numpy(), basis[:, 8].numpy(), 8)
    there = torch.from_numpy(polynomial(between.numpy()))
    assert torch.allclose(evaluate_basis(between, hessenberg)[:, 8], there, rtol=0, atol=1e-10)


def test_a_degree_that_the_points_do_not_carry_is_zero():
    basis, hessenberg = orthogonal_basis(torch.tensor([-1.0, 1.0, -1.0, 1.0]).double(), 3)
    assert not basis[:, 2:].any()
    assert torch.isfinite(evaluate_basis(torch.tensor([0.5]).double(), hessenberg)).all()


def test_powers_give_the_same_values(points):
    _, hessenberg = orthogonal_basis(points, 5)
    weights = torch.arange(6, dtype=torch.float64)
    powers = to_powers(weights, hessenberg, 10.0, 2.0)
    x = 10 + 2 * points
    values = sum(w * x**k for k, w in enumerate(powers))
    # Sums of terms near 1e6 with results near 1: ten digits are left.
    assert torch.allclose(evaluate_basis(points, hessenberg) @ weights, values, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("features", "degree"), [(1, 4), (3, 1), (3, 3), (5, 2)])
def test_monomials_equal_scikit_learn(features, degree):
    x = torch.randn(7, features, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours = Monomials([False] * features, degree, degree)
    theirs = PolynomialFeatures(degree, include_bias=False).fit_transform(x.numpy())
    assert ours.terms == theirs.shape[1]
    # The same products in the same order, multiplied in another order.
    assert np.allclose(ours(x).numpy(), theirs, rtol=1e-14, atol=0)


def test_above_the_cross_degree_only_powers_are_left():
    x = torch.tensor([[2.0, 3.0]], dtype=torch.float64)
    assert Monomials([False, False], 3, 1)(x).tolist() == [[2, 3, 4, 9, 8, 27]]
    assert Monomials([False, False], 3, 2)(x).tolist() == [[2, 3, 4, 6, 9, 8, 27]]


def test_an_indicator_is_its_own_square():
    x = torch.tensor([[2.0, 1.0]], dtype=torch.float64)
    assert Monomials([False, True], 2, 2)(x).tolist() == [[2, 1, 4, 2]]
    assert monomial_steps([True], 3, 3) == [([], []), ([], [])]
    assert Monomials([True], 3, 3)(x[:, 1:]).tolist() == [[1]]


@pytest.mark.parametrize(
    ("features", "degree", "cap", "expected"), [(8, 5, 494, 4), (8, 5, 493, 3), (99, 3, 10, 1)]
)
def test_cross_degree_counts_the_products(features, degree, cap, expected):
    assert cross_degree(features, degree, cap) == expected
