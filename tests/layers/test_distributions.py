"""Normal distributions against SciPy and scikit-learn; rows scaled there and back."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from gradatim.core.samples import Samples
from gradatim.core.signature import Column, Density, Image, Signature, Synthesis, Table
from gradatim.layers.generative.normal import FewDirections, Mixture, Normal
from gradatim.layers.generative.scaled import Scaled, answer_of
from gradatim.models.generative import gaussian_mixture, pca

PICTURES = Signature(
    input=Image(channels=3, height=2, width=3), output=Density(grains=(1.0,), levels=8)
)
CELLS = Signature(
    input=Table(columns=tuple(Column(name=n, kind="numeric") for n in "abc")),
    output=Density(grains=(0.0, 1.0, 0.0)),
)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(count: int = 400) -> torch.Tensor:
    """Correlated rows of five numbers, in float64."""
    mixing = torch.randn(5, 5, generator=chance(1), dtype=torch.float64)
    noise = torch.randn(count, 5, generator=chance(2), dtype=torch.float64)
    return noise @ mixing + torch.arange(5)


def test_a_normal_is_that_of_scipy():
    x = rows()
    normal, covariance = Normal(5), torch.cov(x.T)
    normal.mean.copy_(x.mean(0))
    normal.factor.copy_(torch.linalg.cholesky(covariance))
    peer = multivariate_normal(x.mean(0).numpy(), covariance.numpy())
    np.testing.assert_allclose(normal.log_prob(x).numpy(), peer.logpdf(x.numpy()), rtol=1e-10)
    drawn = normal.sample(200_000, chance())
    torch.testing.assert_close(torch.cov(drawn.T), covariance, atol=0.1, rtol=0.02)


@pytest.mark.parametrize("directions", [1, 3, 4])
def test_few_directions_are_those_of_scikit_learn(directions):
    """scikit-learn divides by n - 1, this by n."""
    x = rows()
    few = pca.Pca(directions=directions).fitted(x, Samples(x, torch.zeros(400, 1)), "density", 0)
    peer = PCA(directions).fit(x.numpy())
    scale = (len(x) - 1) / len(x)
    np.testing.assert_allclose(few.variances, peer.explained_variance_ * scale, rtol=1e-10)
    normal = multivariate_normal(peer.mean_, peer.get_covariance() * scale)
    np.testing.assert_allclose(few.log_prob(x).numpy(), normal.logpdf(x.numpy()), rtol=1e-9)
    drawn = few.sample(200_000, chance())
    true = torch.from_numpy(peer.get_covariance() * scale)
    torch.testing.assert_close(torch.cov(drawn.T), true, atol=0.1, rtol=0.02)


def test_likelihoods_of_all_numbers_of_directions_at_once():
    part, held = rows()[:300], rows()[300:]
    at_once = pca.likelihoods(part, held)
    each = [
        float(PCA(k).fit(part.numpy()).score(held.numpy()))
        if k
        else float(_alone(part).log_prob(held).mean())
        for k in range(5)
    ]
    differences = np.diff(at_once.numpy()), np.diff(each)
    np.testing.assert_allclose(*differences, atol=0.02)  # n - 1 again


def _alone(part: torch.Tensor) -> FewDirections:
    few = FewDirections(5, 0)
    few.mean.copy_(part.mean(0))
    few.rest.copy_(torch.cov(part.T, correction=0).diagonal().mean())
    return few


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_a_mixture_is_that_of_scikit_learn(kind):
    x = torch.cat([rows(), rows() * 0.3 + 9])
    peer = GaussianMixture(4, covariance_type=kind, random_state=0).fit(x.numpy())
    mixture = gaussian_mixture._mixture(peer, "density")
    assert isinstance(mixture, Mixture)
    expected = peer.score_samples(x.numpy())
    np.testing.assert_allclose(mixture.log_prob(x).numpy(), expected, rtol=1e-9)
    drawn = mixture.sample(200_000, chance())
    theirs = peer.sample(200_000)[0]
    np.testing.assert_allclose(drawn.mean(0), theirs.mean(0), atol=0.1)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(theirs.T), atol=0.5, rtol=0.03)


def levels() -> torch.Tensor:
    return torch.randint(0, 8, (60, 3, 2, 3), generator=chance()).to(torch.uint8)


@pytest.mark.parametrize("way", ["alike", "apart", "range", "unit"])
@pytest.mark.parametrize("flat", [True, False])
def test_scaled_there_and_back_with_the_jacobian(way, flat):
    scaled = Scaled(PICTURES, way, flat=flat, dtype=torch.float64).fit(levels())
    x = levels()[:5] + torch.rand(5, 3, 2, 3, generator=chance(1), dtype=torch.float64)
    z = scaled(x)
    assert z.shape == ((5, 18) if flat else (5, 3, 2, 3))
    torch.testing.assert_close(scaled.inverse(z), x, atol=1e-10, rtol=0)
    jacobian = torch.autograd.functional.jacobian(lambda row: scaled(row).flatten(), x[:1])
    true = torch.linalg.slogdet(jacobian.view(18, 18))[1]
    torch.testing.assert_close(scaled.log_det, true)
    answer = answer_of(PICTURES, scaled)
    torch.testing.assert_close(answer(torch.zeros(1)), true[None])


def test_numbers_are_scaled_as_their_noise_will_make_them():
    """Fitted to bare levels, moments are those of levels plus uniform noise."""
    scaled = Scaled(PICTURES, "apart", dtype=torch.float64).fit(levels())
    noise = torch.rand(2000, 60, 3, 2, 3, generator=chance(1), dtype=torch.float64)
    z = scaled((levels() + noise).flatten(0, 1))
    torch.testing.assert_close(z.mean(0), torch.zeros(18).double(), atol=1e-2, rtol=0)
    torch.testing.assert_close(z.std(0), torch.ones(18).double(), atol=1e-2, rtol=0)


def test_columns_have_grains_of_their_own_and_a_constant_one_stays_finite():
    cells = torch.tensor([[1e200, 5.0, 3.0], [-1e200, 5.0, 3.0]], dtype=torch.float64)
    scaled = Scaled(CELLS, "apart", dtype=torch.float64).fit(cells)
    assert scaled(cells).isfinite().all()
    assert float(scaled.scale[1]) == pytest.approx(12**0.5)
    assert float(scaled.scale[2]) == 1


def test_drawn_pictures_have_whole_levels():
    signature = Signature(input=PICTURES.input, output=Synthesis(levels=8))
    scaled = Scaled(signature, "unit", dtype=torch.float64).fit(levels())
    drawn = answer_of(signature, scaled)(torch.linspace(-0.5, 1.5, 36).view(2, 18))
    assert drawn.dtype == torch.uint8
    assert drawn.shape == (2, 3, 2, 3)
    assert (int(drawn.min()), int(drawn.max())) == (0, 7)
    bare = levels().double()
    torch.testing.assert_close(answer_of(signature, scaled)(scaled(bare + 0.999)), levels())
