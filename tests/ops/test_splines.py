"""Rational-quadratic splines against zuko's, against their inverse and against autograd."""

import pytest
import torch
from zuko.transforms import MonotonicRQSTransform

from gradatim.ops.generative.splines import (
    Knots,
    knots,
    rational_quadratic,
    rational_quadratic_inverse,
)


@pytest.fixture
def curves() -> Knots:
    """Seven wild curves in float64, of eight bins in [-3, 3]."""
    chance = torch.Generator().manual_seed(0)
    free = 2 * torch.randn(7, 23, generator=chance, dtype=torch.float64)
    return knots(free[:, :8], free[:, 8:16], free[:, 16:], 3.0)


def points(low: float, high: float) -> torch.Tensor:
    return torch.linspace(low, high, 7, dtype=torch.float64)


@pytest.mark.parametrize(("low", "high"), [(-2.99, 2.99), (-0.5, 2.0), (-6.0, 6.0)])
def test_value_and_slope_are_those_of_zuko(curves, low, high):
    """The same knots: 1e-12, for both work in float64."""
    peer = MonotonicRQSTransform(torch.zeros(7, 8), torch.zeros(7, 8), torch.zeros(7, 7))
    peer.horizontal, peer.vertical, peer.derivatives = curves.x, curves.y, curves.slopes
    x = points(low, high)
    y, log_slope = rational_quadratic(x, curves)
    their_y, their_log_slope = peer.call_and_ladj(x)
    torch.testing.assert_close(y, their_y, atol=1e-12, rtol=0)
    torch.testing.assert_close(log_slope, their_log_slope, atol=1e-12, rtol=0)
    back = rational_quadratic_inverse(y, curves)[0]
    torch.testing.assert_close(back, peer.inv(their_y), atol=1e-10, rtol=0)


@pytest.mark.parametrize(("low", "high"), [(-2.99, 2.99), (-10.0, 10.0)])
def test_inverse_undoes_and_knows_the_same_slope(curves, low, high):
    x = points(low, high)
    y, log_slope = rational_quadratic(x, curves)
    back, same = rational_quadratic_inverse(y, curves)
    torch.testing.assert_close(back, x, atol=1e-10, rtol=0)
    torch.testing.assert_close(same, log_slope, atol=1e-8, rtol=0)


def test_slope_is_the_derivative(curves):
    x = points(-2.9, 2.9).requires_grad_()
    y, log_slope = rational_quadratic(x, curves)
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(log_slope, slope.log(), atol=1e-10, rtol=0)


def test_zeros_are_the_straight_line():
    line = knots(torch.zeros(5, 4), torch.zeros(5, 4), torch.zeros(5, 3), 2.0)
    x = torch.tensor([-5.0, -2.0, 0.1, 1.999, 7.0])
    y, log_slope = rational_quadratic(x, line)
    torch.testing.assert_close(y, x, atol=1e-6, rtol=0)
    torch.testing.assert_close(log_slope, torch.zeros(5), atol=1e-6, rtol=0)


def test_curves_rise_and_stay_in_their_box(curves):
    x = torch.linspace(-3, 3, 1001, dtype=torch.float64)
    for row in range(7):
        own = Knots(*(part[row].expand(1001, -1) for part in (curves.x, curves.y, curves.slopes)))
        y = rational_quadratic(x, own)[0]
        assert (y.diff() > 0).all()
        assert y.min() >= -3
        assert y.max() <= 3


def test_values_outside_of_the_box_give_no_nan_in_the_gradient():
    """`torch.where` would let a NaN of the branch that is not taken through."""
    free = torch.randn(3, 11, generator=torch.Generator().manual_seed(1)).requires_grad_()
    x = torch.tensor([-1e6, 2.0, 1e6])
    y, log_slope = rational_quadratic(x, knots(free[:, :4], free[:, 4:8], free[:, 8:], 2.0))
    (y.sum() + log_slope.sum()).backward()
    assert free.grad.isfinite().all()
