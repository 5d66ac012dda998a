import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.linear_model import LinearRegression

from gradatim.ops.least_squares import (
    least_squares,
    log_likelihood,
    noise_variance,
    polynomial_coefficients,
)

# NIST Statistical Reference Datasets, public domain: Filip (82 rows, a polynomial of degree 10
# whose powers of x have condition number 1.8e15) and Longley (16 rows, 6 nearly dependent columns).
FILIP_Y = """
    0.8116 0.9072 0.9052 0.9039 0.8053 0.8377 0.8667 0.8809 0.7975 0.8162
    0.8515 0.8766 0.8885 0.8859 0.8959 0.8913 0.8959 0.8971 0.9021 0.909
    0.9139 0.9199 0.8692 0.8872 0.89 0.891 0.8977 0.9035 0.9078 0.7675
    0.7705 0.7713 0.7736 0.7775 0.7841 0.7971 0.8329 0.8641 0.8804 0.7668
    0.7633 0.7678 0.7697 0.77 0.7749 0.7796 0.7897 0.8131 0.8498 0.8741
    0.8061 0.846 0.8751 0.8856 0.8919 0.8934 0.894 0.8957 0.9047 0.9129
    0.9209 0.9219 0.7739 0.7681 0.7665 0.7703 0.7702 0.7761 0.7809 0.7961
    0.8253 0.8602 0.8809 0.8301 0.8664 0.8834 0.8898 0.8964 0.8963 0.9074
    0.9119 0.9228
"""
FILIP_X = """
    -6.860120914 -4.324130045 -4.358625055 -4.358426747 -6.955852379 -6.661145254 -6.355462942
    -6.118102026 -7.115148017 -6.815308569 -6.519993057 -6.204119983 -5.853871964 -6.109523091
    -5.79832982 -5.482672118 -5.171791386 -4.851705903 -4.517126416 -4.143573228 -3.709075441
    -3.499489089 -6.300769497 -5.953504836 -5.642065153 -5.031376979 -4.680685696 -4.329846955
    -3.928486195 -8.56735134 -8.363211311 -8.107682739 -7.823908741 -7.522878745 -7.218819279
    -6.920818754 -6.628932138 -6.323946875 -5.991399828 -8.781464495 -8.663140179 -8.473531488
    -8.247337057 -7.971428747 -7.676129393 -7.352812702 -7.072065318 -6.774174009 -6.478861916
    -6.159517513 -6.835647144 -6.53165267 -6.224098421 -5.910094889 -5.598599459 -5.290645224
    -4.974284616 -4.64454848 -4.290560426 -3.885055584 -3.408378962 -3.13200249 -8.726767166
    -8.66695597 -8.511026475 -8.165388579 -7.886056648 -7.588043762 -7.283412422 -6.995678626
    -6.691862621 -6.392544977 -6.067374056 -6.684029655 -6.378719832 -6.065855188 -5.752272167
    -5.132414673 -4.811352704 -4.098269308 -3.66174277 -3.2644011
"""
FILIP = """
    -1467.48961422980 -2772.17959193342 -2316.37108160893 -1127.97394098372 -354.478233703349
    -75.1242017393757 -10.8753180355343 -1.06221498588947 -0.0670191154593408
    -0.00246781078275479 -0.0000402962525080404
"""
FILIP_DEVIATION = 0.00334801051324544
LONGLEY_ROWS = """
    60323 83.0 234289 2356 1590 107608 1947
    61122 88.5 259426 2325 1456 108632 1948
    60171 88.2 258054 3682 1616 109773 1949
    61187 89.5 284599 3351 1650 110929 1950
    63221 96.2 328975 2099 3099 112075 1951
    63639 98.1 346999 1932 3594 113270 1952
    64989 99.0 365385 1870 3547 115094 1953
    63761 100.0 363112 3578 3350 116219 1954
    66019 101.2 397469 2904 3048 117388 1955
    67857 104.6 419180 2822 2857 118734 1956
    68169 108.4 442769 2936 2798 120445 1957
    66513 110.8 444546 4681 2637 121950 1958
    68655 112.6 482704 3813 2552 123366 1959
    69564 114.2 502601 3931 2514 125368 1960
    69331 115.7 518173 4806 2572 127852 1961
    70551 116.9 554894 4007 2827 130081 1962
"""
LONGLEY = """
    -3482258.63459582 15.0618722713733 -0.0358191792925910 -2.02022980381683
    -1.03322686717359 -0.0511041056535807 1829.15146461355
"""


def numbers(text):
    return torch.tensor([float(word) for word in text.split()], dtype=torch.float64)


def exact_solution(rows, targets):
    """Solve the normal equations in rational numbers, where condition does not matter."""
    size = len(rows[0])
    table = [
        [sum(r[i] * r[j] for r in rows) for j in range(size)]
        + [sum(r[i] * t for r, t in zip(rows, targets, strict=True))]
        for i in range(size)
    ]
    for i in range(size):
        table[i] = [value / table[i][i] for value in table[i]]
        for k in range(size):
            if k != i:
                table[k] = [a - table[k][i] * b for a, b in zip(table[k], table[i], strict=True)]
    return [float(row[-1]) for row in table]


@pytest.fixture
def longley():
    table = numbers(LONGLEY_ROWS).reshape(16, 7)
    return table[:, 1:], table[:, :1]


@pytest.fixture
def chance():
    return torch.Generator().manual_seed(0)


def normal(*shape, chance):
    return torch.randn(*shape, generator=chance, dtype=torch.float64)


def test_the_certified_values_are_those_of_the_data():
    # 15 digits are printed: half a unit of the last is at most 5e-15 of the first.
    x, y = ([Fraction(word) for word in text.split()] for text in (FILIP_X, FILIP_Y))
    filip = exact_solution([[v**k for k in range(11)] for v in x], y)
    assert filip == pytest.approx(numbers(FILIP).tolist(), rel=5e-15)
    rows = [[Fraction(word) for word in line.split()] for line in LONGLEY_ROWS.split("\n")[1:-1]]
    found = exact_solution([[Fraction(1), *row[1:]] for row in rows], [row[0] for row in rows])
    assert found == pytest.approx(numbers(LONGLEY).tolist(), rel=5e-15)


def test_filip_is_reached_to_twelve_digits():
    # Rounding x and y to float64 alone moves the exact answer by 1e-14.
    found = polynomial_coefficients(numbers(FILIP_X), numbers(FILIP_Y), 10)
    assert found == pytest.approx(numbers(FILIP).tolist(), rel=1e-12)


def test_longley_is_reached_to_eleven_digits(longley):
    # Condition of the centred and scaled columns: 111; its square times 2e-16 is 3e-12.
    fit = least_squares(*longley)
    assert fit.rank == 6
    found = [fit.bias.item(), *fit.weights[:, 0].tolist()]
    assert found == pytest.approx(numbers(LONGLEY).tolist(), rel=1e-11)


def test_longley_with_a_column_of_ones_is_reached_to_nine_digits(longley):
    # Not centred, the scaled columns have condition 4e4.
    x, y = longley
    fit = least_squares(torch.cat([torch.ones(16, 1), x], 1), y, intercept=False)
    assert fit.weights[:, 0].tolist() == pytest.approx(numbers(LONGLEY).tolist(), rel=1e-9)
    assert fit.bias.item() == 0


def test_equals_scikit_learn(chance):
    # Two backward stable solvers of a well-conditioned problem: some units of 1e-16.
    x, t = normal(50, 7, chance=chance), normal(50, 3, chance=chance)
    ours, theirs = least_squares(x, t), LinearRegression().fit(x.numpy(), t.numpy())
    assert np.allclose(ours.weights.T, theirs.coef_, rtol=0, atol=1e-12)
    assert np.allclose(ours.bias, theirs.intercept_, rtol=0, atol=1e-12)


def test_more_columns_than_rows_gives_the_shortest_exact_fit(chance):
    x, t = normal(10, 40, chance=chance), normal(10, 2, chance=chance)
    fit = least_squares(x, t)
    assert fit.rank == 9  # centring takes one
    assert torch.allclose(x @ fit.weights + fit.bias, t, rtol=0, atol=1e-12)
    centred = x - x.mean(0)
    length = centred.norm(dim=0)
    shortest = torch.linalg.pinv(centred / length) @ (t - t.mean(0))
    assert torch.allclose(fit.weights * length[:, None], shortest, rtol=0, atol=1e-12)


def test_columns_far_from_zero_keep_their_digits(chance):
    # Exact in float64 (steps of 2^-10 at 1e12), but their mean is rounded by up to 1e-4.
    near = (1024 * normal(50, 3, chance=chance)).round() / 1024
    t = near @ torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64)
    fit = least_squares(1e12 + near, t)
    assert fit.weights[:, 0].tolist() == pytest.approx([1, 2, 3], rel=1e-12)


def test_dependent_columns_share_their_weight(chance):
    x = normal(30, 1, chance=chance)
    fit = least_squares(torch.cat([x, x, 3 * x], 1), 6 * x)
    assert fit.rank == 1
    assert fit.weights[:, 0].tolist() == pytest.approx([2, 2, 2 / 3], rel=1e-12)


def test_a_constant_column_has_no_weight_and_no_rank(chance):
    # The mean of 0.1 is not 0.1 in float64: what is left of the column must not be scaled up.
    x = torch.cat([normal(30, 1, chance=chance), torch.full((30, 1), 0.1)], 1).double()
    fit = least_squares(x, 1 + 2 * x[:, :1])
    assert fit.rank == 1
    assert fit.weights[1].item() == 0


def test_units_do_not_decide_the_rank(chance):
    x = normal(30, 3, chance=chance)
    units = torch.tensor([1e-9, 1.0, 1e9], dtype=torch.float64)
    t = x.sum(1, keepdim=True)
    fit = least_squares(x * units, t)
    assert fit.rank == 3
    assert torch.allclose(fit.weights[:, 0] * units, torch.ones(3).double(), rtol=1e-12, atol=0)


def test_a_target_of_one_row_and_zero_features():
    one = torch.ones(1, 2, dtype=torch.float64)
    fit = least_squares(one, 5 * one[:, :1])
    assert fit.rank == 0
    assert fit.bias.item() == 5
    assert not fit.weights.any()


@pytest.mark.parametrize("intercept", [True, False])
def test_leverage_predicts_what_leaving_a_row_out_gives(chance, intercept):
    x, t = normal(20, 4, chance=chance), normal(20, 1, chance=chance)
    fit = least_squares(x, t, intercept=intercept)
    held_out = t - (t - x @ fit.weights - fit.bias) / (1 - fit.leverage)[:, None]
    for row in range(20):
        rest = torch.arange(20) != row
        part = least_squares(x[rest], t[rest], intercept=intercept)
        brute = x[row] @ part.weights + part.bias
        assert held_out[row].item() == pytest.approx(brute.item(), abs=1e-10)


def test_noise_of_filip_is_the_certified_deviation():
    x, y = numbers(FILIP_X), numbers(FILIP_Y)
    w = torch.tensor(polynomial_coefficients(x, y, 10), dtype=torch.float64)
    powers = x[:, None] ** torch.arange(11)
    residuals = (y - powers @ w)[:, None]
    # NIST divides by rows - 11, maximum likelihood by rows. Terms of 1e4 cancel to 1e-3, so 7
    # digits of 16 are lost in the sum of powers.
    certified = FILIP_DEVIATION**2 * (82 - 11) / 82
    assert noise_variance(residuals).item() == pytest.approx(certified, rel=1e-5)


def test_log_likelihood_equals_scipy(chance):
    residuals = normal(40, 2, chance=chance) * torch.tensor([1.0, 5.0])
    deviation = residuals.square().mean(0).sqrt().numpy()
    theirs = stats.norm.logpdf(residuals.numpy(), scale=deviation).sum()
    assert log_likelihood(residuals) == pytest.approx(theirs, rel=1e-12)
    given = torch.tensor([2.0, 3.0], dtype=torch.float64)
    theirs = stats.norm.logpdf(residuals.numpy(), scale=given.sqrt().numpy()).sum()
    assert log_likelihood(residuals, given) == pytest.approx(theirs, rel=1e-12)


def test_the_noise_variance_is_the_most_likely_one(chance):
    residuals = normal(40, 1, chance=chance)
    best = noise_variance(residuals)
    for factor in (0.9, 1.1):
        assert log_likelihood(residuals, best) > log_likelihood(residuals, factor * best)


def test_an_exact_fit_is_infinitely_likely():
    assert log_likelihood(torch.zeros(3, 1, dtype=torch.float64)) == math.inf
