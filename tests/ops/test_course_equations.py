"""Formulas of the course about linear models and convolutions: numbers by hand, sums by loops."""

from math import exp, log, pi, sqrt

import numpy as np
import pytest
import torch
from torch.autograd.functional import jacobian

from gradatim.core.errors import ConfigError
from gradatim.ops.confusion import confusion, per_class
from gradatim.ops.convolution import convolve, cross_correlate
from gradatim.ops.least_squares import least_squares, log_likelihood, noise_variance
from gradatim.ops.ridge import ridge_path


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def augmented(x: torch.Tensor) -> torch.Tensor:
    """The leading 1 of every row of the course's x."""
    return torch.cat([torch.ones(len(x), 1, dtype=x.dtype), x], dim=1)


@pytest.mark.parametrize("residual", [0.0, 1.5])
def test_course_000_gaussian_density_has_the_root_over_pi_too(residual):
    """Variance 1/4: exp(-2 r^2) / sqrt(pi/2); the printed 1/(sqrt(2 s^2) pi) gives 0.45 at 0."""
    density = exp(-2 * residual**2) / sqrt(pi / 2)
    row, variance = torch.tensor([[residual]]).double(), torch.tensor([0.25]).double()
    assert exp(log_likelihood(row, variance)) == pytest.approx(density, rel=1e-12)
    assert 1 / (sqrt(2 * 0.25) * pi) == pytest.approx(0.450, abs=1e-3) != 1 / sqrt(pi / 2)


def test_course_000_e_d_is_the_negative_of_what_depends_on_w():
    """log L + E_d is the same for every w."""
    x, t, beta = augmented(normal(12, 2)), normal(12, 1, seed=1), 3.0
    rest = 12 * (log(beta) - log(2 * pi)) / 2
    for seed in range(3):
        residuals = t - x @ normal(3, 1, seed=seed)
        e_d = beta / 2 * float(residuals.square().sum())
        said = log_likelihood(residuals, torch.tensor([1 / beta], dtype=torch.float64))
        assert said == pytest.approx(rest - e_d, rel=1e-12)


def test_course_000_gradient_of_e_d_and_of_its_cross_terms():
    """Each cross term gives x't; together with 2 x'x w they make beta (x'x w - x't)."""
    x, t, w, beta = augmented(normal(12, 2)), normal(12, 1, seed=1), normal(3, 1, seed=2), 3.0
    for cross in (lambda v: t.T @ x @ v, lambda v: v.T @ x.T @ t):
        torch.testing.assert_close(jacobian(cross, w).view(3, 1), x.T @ t)
    gradient = jacobian(lambda v: beta / 2 * (t - x @ v).square().sum(), w)
    torch.testing.assert_close(gradient, beta * (x.T @ x @ w - x.T @ t))


def test_course_000_equation_2_makes_the_gradient_of_e_d_zero():
    x, t = normal(12, 2), normal(12, 1, seed=1)
    fit = least_squares(x, t)
    w = torch.cat([fit.bias[None], fit.weights])
    torch.testing.assert_close(augmented(x).T @ augmented(x) @ w, augmented(x).T @ t)


def test_course_000_equation_3_is_a_variance_by_hand():
    """t = 0, 3, 0 at x = 0, 1, 2: the line is 1, the residuals -1, 2, -1, their mean square 2."""
    x, t = (
        torch.tensor([[0.0], [1.0], [2.0]]).double(),
        torch.tensor([[0.0], [3.0], [0.0]]).double(),
    )
    fit = least_squares(x, t)
    residuals = t - x @ fit.weights - fit.bias
    assert noise_variance(residuals).item() == pytest.approx(2, rel=1e-12)
    # The likelihood is highest at beta = 1/2, and not at beta = 2 as printed.
    half, two = (log_likelihood(residuals, torch.tensor([1 / b]).double()) for b in (0.5, 2.0))
    assert half > two


def test_course_000_equation_4_is_the_peak_of_the_posterior():
    """The gradient of beta/2 |t - xw|^2 + lambda/2 |w|^2 (w_0 free) is 0 at penalty lambda/beta."""
    x, t, beta, penalty = normal(12, 3), 5 + normal(12, 1, seed=1), 3.0, 2.0

    def energy(w):
        miss = t - augmented(x) @ w
        return beta / 2 * miss.square().sum() + penalty / 2 * w[1:].square().sum()

    path = ridge_path(x, t, torch.tensor([penalty / beta, penalty], dtype=torch.float64))
    right, printed = (torch.cat([path.bias[k][None], path.weights[k]]) for k in (0, 1))
    assert jacobian(energy, right).abs().max() < 1e-10
    assert jacobian(energy, printed).abs().max() > 0.1


def test_course_000_equation_12_of_finite_signals_is_a_product_of_polynomials():
    """(1 + 2z + 4z^2) (1 + 10z) = 1 + 12z + 24z^2 + 40z^3, whichever of the two is moved (13)."""
    f, g = torch.tensor([[[1.0, 2.0, 4.0]]]), torch.tensor([[[1.0, 10.0]]])
    assert convolve(f, g, padding=1).flatten().tolist() == [1, 12, 24, 40]
    assert convolve(g, f, padding=2).flatten().tolist() == [1, 12, 24, 40]


@pytest.mark.parametrize(("M", "N"), [(0, 3), (1, 5), (2, 4)])
def test_course_000_equation_14_by_loops(M, N):
    f, g = normal(N + 1), normal(2 * M + 1, seed=1)
    ours = convolve(f[None, None], g[None, None])[0, 0]
    assert len(ours) == N - 2 * M + 1
    for place, n in enumerate(range(M, N - M + 1)):
        total = sum(f[n - m] * g[m + M] for m in range(-M, M + 1))
        assert float(ours[place]) == pytest.approx(float(total), abs=1e-12)


def test_course_000_equation_14_has_no_place_when_m_is_more_than_half_of_n():
    """M = 2 <= N = 3, as printed, and yet [M, N - M] = [2, 1] is empty."""
    with pytest.raises(ConfigError, match="spans 5 places"):
        convolve(normal(1, 1, 4), normal(1, 1, 5))


@pytest.mark.parametrize("channels", [1, 3])
def test_course_000_equations_15_to_17_by_loops(channels):
    """f[n - m] is the convolution (15), (16), f[n + m] the cross-correlation (17); k = 0..2."""
    M, N = 1, 4
    f, g = normal(channels, N + 1, N + 1), normal(channels, 2 * M + 1, 2 * M + 1, seed=1)
    for function, sign in ((convolve, -1), (cross_correlate, 1)):
        ours = function(f[None], g[None])[0, 0]
        assert ours.shape == (N - 2 * M + 1, N - 2 * M + 1)
        for n1, n2 in np.ndindex(*ours.shape):
            total = sum(
                f[k, n1 + M + sign * m1, n2 + M + sign * m2] * g[k, m1 + M, m2 + M]
                for k in range(channels)
                for m1 in range(-M, M + 1)
                for m2 in range(-M, M + 1)
            )
            assert float(ours[n1, n2]) == pytest.approx(float(total), abs=1e-12)


def test_course_001_two_convolutions_without_a_bend_are_one():
    """Its kernel is the full convolution of the two, summed over the channels between them."""
    x, first, second = normal(2, 3, 7, 7), normal(4, 3, 3, 3, seed=1), normal(2, 4, 2, 2, seed=2)
    both = cross_correlate(cross_correlate(x, first), second)
    one = convolve(first.transpose(0, 1), second, padding=1).transpose(0, 1)
    assert one.shape == (2, 3, 4, 4)
    torch.testing.assert_close(cross_correlate(x, one), both)
    bent = cross_correlate(cross_correlate(x, first).relu(), second)
    assert not torch.allclose(cross_correlate(x, one), bent)


def test_course_001_bias_is_one_number_a_filter():
    x, kernel = normal(1, 3, 5, 5), normal(2, 3, 3, 3, seed=1)
    raised = cross_correlate(x, kernel, torch.tensor([10.0, -1.0]).double())
    plain = cross_correlate(x, kernel)
    assert raised.shape == (1, 2, 3, 3)
    for c, bias in enumerate((10.0, -1.0)):
        torch.testing.assert_close(raised[:, c], plain[:, c] + bias)


def test_course_000_f1_is_the_harmonic_mean_of_precision_and_recall():
    """Class 1: 3 found of 4, with 2 false alarms: P = 3/5, R = 3/4, F1 = 2 / (5/3 + 4/3) = 2/3."""
    targets = np.array([1, 1, 1, 1, 0, 0, 0])
    predicted = np.array([1, 1, 1, 0, 1, 1, 0])
    table = confusion(predicted, targets, 2)
    assert table.tolist() == [[1, 2], [1, 3]]
    precision, recall, f1, support = (column[1] for column in per_class(table))
    assert (precision, recall, support) == (3 / 5, 3 / 4, 4)
    assert f1 == pytest.approx(2 / 3)
