"""Networks between levels, and how strong the noise of a picture is."""

import pytest
import torch
from skimage.restoration import estimate_sigma
from torch import nn

from gradatim.layers.denoising.levels import Levels, OnLevels, SameLevels
from gradatim.layers.denoising.noise_level import noise_level


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("sigma", [1.0, 25.0, 60.0])
def test_white_noise_is_estimated_by_its_deviation(sigma):
    level = noise_level(128 + sigma * noise(1, 1, 400, 400))
    # The median of 40,000 coefficients is off by about 0.6 %.
    assert level.item() == pytest.approx(sigma, rel=0.03)


def test_estimates_like_scikit_image_away_from_the_border():
    picture = 90 + 60 * torch.sin(torch.arange(256) / 9.0).outer(torch.cos(torch.arange(300) / 7.0))
    noisy = picture + 15 * noise(256, 300)
    expected = float(estimate_sigma(noisy.numpy()))
    assert noise_level(noisy[None, None]).item() == pytest.approx(expected, rel=0.02)


def test_a_smooth_picture_has_no_noise():
    """Two vanishing moments: a plane that rises evenly leaves nothing."""
    rising = torch.arange(40.0).outer(torch.ones(30)) + torch.arange(30.0)
    assert noise_level(rising[None, None]).item() < 1e-4


def test_each_row_has_its_own_level_and_colours_share_one():
    sigmas = torch.tensor([5.0, 50.0])
    rows = sigmas[:, None, None, None] * noise(2, 3, 200, 200)
    together = noise_level(rows)
    torch.testing.assert_close(together[1:], noise_level(rows[1:]))
    torch.testing.assert_close(together, sigmas, rtol=0.05, atol=0)


def test_levels_come_and_go_unchanged():
    raw = torch.tensor([[[[0, 255], [7, 128]]]], dtype=torch.uint8)
    levels = Levels().fit(raw)(raw)
    assert levels.dtype == torch.float32
    answer = SameLevels().fit(levels)
    assert torch.equal(answer(levels), raw.float())
    assert torch.equal(answer.encode(levels), raw.float())


def test_the_network_sees_white_as_one_and_answers_with_the_noise():
    seen = []

    class Tenth(nn.Module):
        def forward(self, planes):
            seen.append(planes)
            return planes / 10

    levels = torch.full((1, 1, 16, 16), 255.0)
    torch.testing.assert_close(OnLevels(Tenth())(levels), 0.9 * levels)
    torch.testing.assert_close(OnLevels(Tenth(), residual=False)(levels), 0.1 * levels)
    torch.testing.assert_close(seen[0], torch.ones(1, 1, 16, 16))


@pytest.mark.parametrize("size", [(16, 16), (17, 19), (18, 23)])
def test_any_size_passes_a_network_that_halves_twice(size):
    folded = nn.Sequential(nn.PixelUnshuffle(4), nn.PixelShuffle(4))
    levels = noise(2, 1, *size)
    torch.testing.assert_close(OnLevels(folded, 4, residual=False)(levels), levels)


def test_a_mapped_network_is_told_the_estimated_deviation():
    seen = []

    class Keeps(nn.Module):
        def forward(self, planes):
            seen.append(planes)
            return planes[:, :1]

    levels = torch.tensor([10.0, 40.0])[:, None, None, None] * noise(2, 1, 60, 50)
    OnLevels(Keeps(), mapped=True)(levels)
    assert seen[0].shape == (2, 2, 60, 50)
    expected = (noise_level(levels) / 255)[:, None, None].expand(2, 60, 50)
    torch.testing.assert_close(seen[0][:, 1], expected)
