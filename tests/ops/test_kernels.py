"""Blur and derivatives on a photograph, against SciPy and scikit-image."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from gradatim.ops.convolution import convolve, cross_correlate
from gradatim.ops.kernels import gaussian_kernel, sobel_kernels


@pytest.fixture(scope="module")
def camera() -> np.ndarray:
    """A real photograph in [0, 1]."""
    data = pytest.importorskip("skimage.data")
    return data.camera()[::2, ::2].astype(np.float64) / 255


def laid(function, picture: np.ndarray, kernel: torch.Tensor) -> np.ndarray:
    x = torch.from_numpy(picture)[None, None]
    return function(x, kernel[None, None], padding=1, strategy="replicate")[0, 0].numpy()


def test_course_001_gaussian_sums_to_1_and_the_printed_one_to_15_of_16():
    printed = torch.tensor([[1.0, 2, 1], [2, 4, 1], [1, 2, 1]]) / 16
    right = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    assert torch.equal(gaussian_kernel(), right)
    assert (float(printed.sum()), float(right.sum())) == (15 / 16, 1)


def test_course_001_gaussian_on_a_photograph_equals_scipy(camera):
    ours = laid(cross_correlate, camera, gaussian_kernel(torch.float64))
    weights = gaussian_kernel(torch.float64).numpy()
    theirs = ndimage.convolve(camera, weights, mode="nearest")
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    # A blur keeps the brightness and takes away contrast between neighbours.
    assert abs(ours.mean() - camera.mean()) < 1e-3
    assert np.abs(np.diff(ours)).mean() < 0.8 * np.abs(np.diff(camera)).mean()


def test_course_001_gaussian_has_variance_one_half_and_repeated_is_gaussian():
    """Binomial weights: 32 blurs are one of variance 16, up to the central limit theorem."""
    row = gaussian_kernel(torch.float64).sum(0).numpy()
    assert row @ [1, 0, 1] == 0.5
    many = np.ones(1)
    for _ in range(32):
        many = np.convolve(many, row)
    density = np.exp(-(np.arange(-32, 33) ** 2) / 32) / np.sqrt(32 * np.pi)
    # The leading error of a binomial in the middle: density / (8 x 32) = 4e-4.
    np.testing.assert_allclose(many, density, atol=5e-4)


def test_course_001_sobel_values():
    across, down = sobel_kernels()
    assert across.tolist() == [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
    assert down.tolist() == [[1, 2, 1], [0, 0, 0], [-1, -2, -1]]


def test_course_001_sobel_sign_depends_on_turning_the_kernel():
    """A ramp that gets brighter to the right by 1 a pixel, and one that does so downwards."""
    ramp = np.tile(np.arange(5.0), (5, 1))
    across, down = sobel_kernels(torch.float64)
    inner = (slice(1, -1), slice(1, -1))
    assert (laid(convolve, ramp, across)[inner] == 8).all()
    assert (laid(cross_correlate, ramp, across)[inner] == -8).all()
    assert (laid(convolve, ramp.T.copy(), down)[inner] == 8).all()
    assert (laid(convolve, ramp, down)[inner] == 0).all()


def test_course_001_sobel_on_a_photograph_equals_scipy_and_scikit_image(camera):
    filters = pytest.importorskip("skimage.filters")
    across, down = sobel_kernels(torch.float64)
    right, lower = laid(convolve, camera, across), laid(convolve, camera, down)
    # ndimage.sobel lays the kernel (-1, 0, 1) as it is: the same sign as the true convolution.
    np.testing.assert_allclose(right, ndimage.sobel(camera, 1, mode="nearest"), atol=1e-12)
    np.testing.assert_allclose(lower, ndimage.sobel(camera, 0, mode="nearest"), atol=1e-12)
    # scikit-image divides the smoothing by 4; its sobel_h finds horizontal edges: the slope down.
    inner = (slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(lower[inner] / 4, filters.sobel_h(camera)[inner], atol=1e-12)
    np.testing.assert_allclose(right[inner] / 4, filters.sobel_v(camera)[inner], atol=1e-12)
    np.testing.assert_allclose(laid(cross_correlate, camera, across), -right, atol=1e-12)
