"""Stepwise EM finds where codes lie, and its buffers are all that it remembers."""

import torch

from gradatim.layers.generative.code_mixture import CodeMixture


def clusters(rows: int, seed: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    far = torch.tensor([[-4.0, 0.0], [4.0, 1.0]])
    which = (torch.rand(rows, generator=chance) < 0.25).long()
    return far[which] + torch.randn(rows, 2, generator=chance) * torch.tensor([1.0, 0.3])


def test_two_clusters_are_found_with_shares_means_and_covariances():
    """Steps of 0.02 at the end: the last 100 batches count, which leaves errors of 1 to 2 %."""
    mixture = CodeMixture(2, 2)
    for step in range(600):
        mixture.update(clusters(64, step))
    order = mixture.shares.argsort(descending=True)
    means, covariances = mixture.moments
    double = torch.float64
    torch.testing.assert_close(
        mixture.shares[order], torch.tensor([0.75, 0.25], dtype=double), atol=0.03, rtol=0
    )
    expected = torch.tensor([[-4.0, 0.0], [4.0, 1.0]], dtype=double)
    torch.testing.assert_close(means[order], expected, atol=0.1, rtol=0)
    expected = torch.diag(torch.tensor([1.0, 0.09], dtype=double)).repeat(2, 1, 1)
    torch.testing.assert_close(covariances[order], expected, atol=0.12, rtol=0)
    drawn = mixture.sample(20_000, torch.Generator().manual_seed(0)).double()
    real = clusters(20_000, 10_000).double()
    torch.testing.assert_close(drawn.mean(0), real.mean(0), atol=0.15, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(real.T), atol=0.8, rtol=0)


def test_one_component_is_the_mean_and_the_covariance():
    codes = clusters(5000, 0)
    mixture = CodeMixture(2, 1)
    for _ in range(300):
        mixture.update(codes)
    (mean,), (covariance,) = mixture.moments
    torch.testing.assert_close(mean, codes.double().mean(0))
    torch.testing.assert_close(covariance, torch.cov(codes.T.double()), rtol=1e-3, atol=1e-3)


def test_codes_that_are_all_alike_leave_it_finite():
    mixture = CodeMixture(3, 4)
    for _ in range(20):
        mixture.update(torch.full((8, 3), 2.0))
    drawn = mixture.sample(10, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn, torch.full((10, 3), 2.0), atol=1e-3, rtol=0)


def test_goes_on_from_its_buffers_with_the_same_bits():
    whole, first = CodeMixture(2, 3), CodeMixture(2, 3)
    for step in range(40):
        whole.update(clusters(32, step))
    for step in range(17):
        first.update(clusters(32, step))
    again = CodeMixture(2, 3)
    again.load_state_dict(first.state_dict())
    for step in range(17, 40):
        again.update(clusters(32, step))
    for name, buffer in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], buffer), name
