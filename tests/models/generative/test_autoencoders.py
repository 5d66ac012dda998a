"""Autoencoders: PCA by descent, noise in training alone, the bound of the variational one."""

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch.distributions import Bernoulli, Normal

from gradatim.core.randomness import generator
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Signature, Synthesis
from gradatim.layers.generative.autoencoder import Denoiser
from gradatim.layers.generative.dense import dense
from gradatim.layers.generative.variational import Variational
from gradatim.models.generative.linear_autoencoder import LinearAutoencoder
from gradatim.tasks.synthesise import TASK
from gradatim.train.fitting import Fitting

from .crowds import bars, fitting

DIGITS = Signature(input=Image(channels=1, height=8, width=8), output=Synthesis(levels=17))


@pytest.mark.parametrize(("code", "quoted"), [(2, 0.0532), (8, 0.0247), (16, 0.0116), (32, 0.0026)])
def test_a_linear_autoencoder_comes_to_the_error_of_pca(code, quoted):
    """Within 1 % of scikit-learn's on the same rows, and never below it, for PCA is the best.

    The quoted errors are of another split: they agree to 6 %.
    """
    x = torch.from_numpy(load_digits().images).to(torch.uint8)[:, None]
    rung = LinearAutoencoder(code=code)
    samples, recipe = Samples(x, torch.zeros(len(x), 1)), rung.recipe(len(x), DIGITS)
    fit = Fitting(rung, TASK.of(DIGITS), samples, DIGITS, recipe)
    list(fit)
    flat, network = fit.model.preprocess(x), fit.model.network
    with torch.no_grad():
        error = (network.decoder(network.encode(flat)) - flat).square().mean().item()
    pca = PCA(code).fit(flat.numpy())
    best = ((pca.inverse_transform(pca.transform(flat.numpy())) - flat.numpy()) ** 2).mean()
    assert best * (1 - 1e-6) <= error <= 1.01 * best
    assert best == pytest.approx(quoted, rel=0.06)


def test_a_denoiser_hides_pixels_in_training_alone():
    torch.manual_seed(0)
    network = Denoiser(dense([8, 4]), dense([4, 8]), 4, 1, hidden=0.5, rounds=1)
    seen = []
    network.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    x = torch.ones(1000, 8)
    network.train().losses(x)
    network.eval().losses(x)
    assert seen[0].mean().item() == pytest.approx(0.5, abs=0.03)
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}
    assert torch.equal(seen[1], x)


def test_looking_at_losses_teaches_the_mixture_nothing():
    fit = fitting("autoencoder_synthesis")
    before = {k: v.clone() for k, v in fit.model.network.eval().mixture.state_dict().items()}
    fit.model.network.losses(torch.rand(5, 90))
    after = fit.model.network.mixture.state_dict()
    assert all(torch.equal(after[k], v) for k, v in before.items())


def variational() -> Variational:
    torch.manual_seed(0)
    return Variational(dense([6, 8, 6]), dense([3, 8, 6]), 3)


def test_the_bound_is_that_of_torchs_distributions():
    """-log p(x, z) + log q(z | x) averages to the loss over many draws of z: 4 standard errors."""
    network, x = variational(), torch.rand(1, 6)
    torch.manual_seed(1)
    with torch.no_grad():
        many = network.losses(x.repeat(20_000, 1))
        mean, log_variance = network.encoder(x).chunk(2, 1)
        told = Normal(mean, (log_variance / 2).exp())
        code = told.sample((20_000,))[:, 0]
        pixels = Bernoulli(logits=network.decoder(code), validate_args=False)
        prior = Normal(0.0, 1.0).log_prob(code).sum(1)
        other = told.log_prob(code).sum(1) - prior - pixels.log_prob(x).sum(1)
    error = (many.var() / len(many) + other.var() / len(other)).sqrt().item()
    assert abs(many.mean() - other.mean()).item() < 4 * error


def test_both_terms_are_sums_over_a_row_and_means_over_rows():
    """The weight of the divergence depends neither on the batch, nor on pixels, nor on the code."""
    network, x = variational().eval(), torch.rand(5, 6)
    with torch.no_grad():
        torch.manual_seed(3)
        surprise, divergence = network.terms(x)
        torch.manual_seed(3)
        losses = network.losses(x)
    assert surprise.shape == divergence.shape == (5,)
    torch.testing.assert_close(losses, surprise + divergence)
    mean, log_variance = network.encoder(x).chunk(2, 1)
    whole = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)
    torch.testing.assert_close(divergence, whole.sum(1))
    fit = fitting("vae")
    batch = bars(48)
    seen = fit.own.encoded(fit.model, Samples(batch.inputs, batch.targets))
    torch.manual_seed(4)
    rows = fit.model.network.losses(seen.inputs)
    torch.testing.assert_close(fit.trainee.loss(rows, seen.targets), rows.mean())


def test_a_variational_autoencoder_without_its_divergence_leaves_holes():
    """With it, codes of the data have nearly the variance of the prior that is drawn from."""
    fit = fitting("vae", epochs=10, steps=40)
    list(fit)
    network = fit.model.network
    mean, log_variance = network.encoder(fit.model.preprocess(bars().inputs)).chunk(2, 1)
    total = mean.var(0) + log_variance.exp().mean(0)
    torch.testing.assert_close(total, torch.ones(3), atol=0.5, rtol=0)


@pytest.mark.parametrize("name", ["linear_autoencoder", "autoencoder_synthesis", "vae"])
def test_walks_begin_and_end_at_drawn_rows(name):
    network = fitting(name).model.network.eval()
    if hasattr(network, "mixture"):
        network.mixture.update(torch.randn(30, network.mixture.sums.shape[1]))
    walk = network.walk(4, 5, generator(0, "walk")).unflatten(0, (4, 5))
    chance = generator(0, "walk")
    first, last = (network.decode(network.codes(4, chance)) for _ in range(2))
    torch.testing.assert_close(walk[:, 0], first)
    torch.testing.assert_close(walk[:, -1], last, atol=1e-6, rtol=1e-5)
