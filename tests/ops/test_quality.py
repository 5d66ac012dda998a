"""PSNR and SSIM against scikit-image, by their definitions and at their ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gradatim.ops.denoising.quality import ROUNDING, as_levels, psnr, squared_error, ssim


def pictures(seed: int, channels: int = 1, height: int = 31, width: int = 24) -> tuple:
    """A smooth picture and the same one under noise, as whole levels."""
    chance = np.random.default_rng(seed)
    down, across = np.mgrid[:height, :width]
    truth = 128 + 100 * np.sin(down / 4 + np.arange(channels)[:, None, None]) * np.cos(across / 3)
    return as_levels(truth + chance.normal(0, 20, truth.shape)), as_levels(truth)


@pytest.mark.parametrize("seed", range(3))
def test_psnr_is_scikit_images(seed):
    noisy, truth = pictures(seed)
    expected = peak_signal_noise_ratio(truth, noisy, data_range=255)
    assert float(psnr(squared_error(noisy, truth))) == pytest.approx(expected, rel=1e-12)


def test_psnr_of_white_noise_is_that_of_its_deviation():
    assert float(psnr(25.0**2)) == pytest.approx(20.1720, abs=5e-5)  # 20 log10(255 / 25)


def test_psnr_ends_where_rounding_would_hide_the_rest():
    assert float(psnr(0.0)) == float(psnr(ROUNDING)) == pytest.approx(58.9226, abs=5e-5)
    assert float(psnr(2 * ROUNDING)) < float(psnr(ROUNDING))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_ssim_is_scikit_images_with_the_papers_window(seed, channels):
    noisy, truth = pictures(seed, channels)
    expected = structural_similarity(
        truth,
        noisy,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=0,
    )
    # Both add up in float64; only the order of the sums differs.
    assert ssim(noisy, truth) == pytest.approx(expected, rel=1e-10)


@given(st.integers(0, 1000), st.floats(1, 60))
def test_ssim_is_symmetric_and_below_one(seed, deviation):
    _, truth = pictures(0)
    noisy = as_levels(truth + np.random.default_rng(seed).normal(0, deviation, truth.shape))
    assert ssim(noisy, truth) == pytest.approx(ssim(truth, noisy), rel=1e-12)
    assert ssim(noisy, truth) < 1
    assert ssim(truth, truth) == pytest.approx(1, rel=1e-12)


def test_ssim_refuses_what_no_window_fits_in():
    small = np.zeros((1, 10, 40), np.uint8)
    with pytest.raises(ValueError, match="40 x 10 pixels"):
        ssim(small, small)


def test_files_hold_whole_levels_within_their_range():
    assert as_levels(np.array([-0.6, 0.4, 254.6, 1e9])).tolist() == [0, 0, 255, 255]
    assert as_levels(np.zeros((2, 3), np.float32)).dtype == np.uint8
