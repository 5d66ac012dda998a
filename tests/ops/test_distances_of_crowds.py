"""Distances between crowds of rows, against SciPy, sums written out, and known answers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch.distributions import Independent, Normal, kl_divergence

from gradatim.ops.generative.elbo import divergence_from_standard
from gradatim.ops.generative.frechet import frechet_distance, gaussian_frechet_distance
from gradatim.ops.generative.kernel_distance import kernel_distance
from gradatim.ops.generative.variety import coverage, nearest_distances, novelty


def crowd(seed: int, rows: int = 300, features: int = 6) -> np.ndarray:
    chance = np.random.default_rng(seed)
    mixing = chance.normal(size=(features, features))
    return chance.normal(size=(rows, features)) @ mixing + chance.normal(size=features)


@pytest.mark.parametrize("seed", range(3))
def test_frechet_is_the_formula_with_scipys_root(seed):
    """Both are exact in float64; the root of an unsymmetric matrix loses half of the digits."""
    x, y = crowd(seed), crowd(seed + 10)
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    apart = np.square(x.mean(0) - y.mean(0)).sum()
    expected = apart + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(y, x) == pytest.approx(expected, rel=1e-6)


def test_frechet_of_commuting_covariances_is_a_sum_of_squares():
    """With equal axes it is |m1 - m2|^2 + sum (s1 - s2)^2 of the deviations along them."""
    s, t = np.array([1.0, 4.0, 0.0]), np.array([9.0, 4.0, 25.0])
    said = gaussian_frechet_distance(np.zeros(3), np.diag(s), np.ones(3), np.diag(t))
    assert said == pytest.approx(3 + (1 - 3) ** 2 + 0 + 25)


@given(st.integers(0, 2**32 - 1))
def test_frechet_of_constant_features_and_few_rows_is_finite_and_not_negative(seed):
    """Features that never vary, and fewer rows than features, make covariances singular."""
    x, y = crowd(seed, rows=4), crowd(seed + 1, rows=5)
    x[:, 2] = y[:, 2] = 7.0
    assert 0 <= frechet_distance(x, y) < np.inf
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-6 * np.square(x).sum())


def test_scores_of_single_rows_are_undefined():
    one = np.ones((1, 3))
    assert np.isnan(frechet_distance(one, one))
    assert np.isnan(kernel_distance(one, one))
    with pytest.raises(ValueError, match="not finite"):
        frechet_distance(np.full((3, 2), np.nan), np.ones((3, 2)))


def test_kernel_distance_is_the_sum_over_pairs():
    x, y = crowd(0, rows=5), crowd(1, rows=5)

    def k(a, b):
        return (a @ b / len(a) + 1) ** 3

    others = [(i, j) for i in range(5) for j in range(5) if i != j]
    within = sum(k(x[i], x[j]) + k(y[i], y[j]) for i, j in others) / 20
    across = sum(k(a, b) for a in x for b in y) / 25
    assert kernel_distance(x, y) == pytest.approx(within - 2 * across)


def test_kernel_distance_is_zero_on_average_for_one_distribution_however_few_the_rows():
    """A biased estimate would be above 0 by 1/rows of the kernel's mean: 40 errors away here."""
    chance = np.random.default_rng(0)
    said = [kernel_distance(*chance.normal(size=(2, 10, 4))) for _ in range(2000)]
    error = np.std(said) / np.sqrt(len(said))
    assert abs(np.mean(said)) < 4 * error
    assert np.mean(np.array(said) < 0) > 0.2


def test_kernel_distance_of_many_rows_is_the_mean_over_blocks():
    x, y = crowd(0, rows=2500, features=3), crowd(1, rows=2500, features=3)
    pairs = zip(np.array_split(x, 3), np.array_split(y, 3), strict=True)
    assert kernel_distance(x, y) == pytest.approx(
        np.mean([kernel_distance(a, b) for a, b in pairs])
    )


def test_coverage_counts_classes_within_half_and_double():
    real = np.repeat(np.arange(4), 10)
    assert coverage(real, real) == 1
    assert coverage(np.zeros(40, int), real) == 0, "one class alone is drawn four times too often"
    half = np.r_[np.repeat([0, 1, 2], 11), np.repeat(3, 5), [0, 1]]
    assert coverage(half, real) == 1
    assert coverage(half[half < 3], real) == 0.75
    assert np.isnan(coverage(np.full(3, -1), np.full(3, -1)))


def test_copies_of_training_rows_are_told_by_their_distance():
    chance = torch.Generator().manual_seed(0)
    known, unseen, new = torch.randn(3, 200, 5, generator=chance)
    usual = nearest_distances(unseen, known).numpy()
    assert novelty(nearest_distances(new, known).numpy(), usual) == pytest.approx(1, abs=0.15)
    copies = known[:50] + 1e-3 * torch.randn(50, 5, generator=chance)
    assert novelty(nearest_distances(copies, known).numpy(), usual) < 0.05
    assert novelty(nearest_distances(9 * new, known).numpy(), usual) > 2
    assert nearest_distances(new, known[:0]).isnan().all()
    own = nearest_distances(known, known, besides=True)
    apart = (known[:, None] - known).norm(dim=2).fill_diagonal_(float("inf"))
    torch.testing.assert_close(own, apart.amin(1), atol=1e-4, rtol=1e-4)
    assert (nearest_distances(known, known) == 0).all()
    brute = (unseen[:, None] - known).norm(dim=2).amin(1)
    torch.testing.assert_close(nearest_distances(unseen, known), brute, atol=1e-4, rtol=1e-4)


def test_the_divergence_is_torchs_and_a_sum_over_the_code():
    """A mean over the code would give a long code less weight than a short one."""
    mean, log_variance = torch.randn(2, 7, 5, dtype=torch.float64)
    meant = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    standard = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
    said = divergence_from_standard(mean, log_variance)
    torch.testing.assert_close(said, kl_divergence(meant, standard))
    twice = divergence_from_standard(mean.repeat(1, 2), log_variance.repeat(1, 2))
    torch.testing.assert_close(twice, 2 * said)
