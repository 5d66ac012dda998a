"""Features of pixels against SciPy's blur and scikit-image's features."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d
from skimage.feature import multiscale_basic_features

from gradatim.layers.segmentation.scale_space import ScaleSpace, blur_matrix


def levels(*shape: int) -> torch.Tensor:
    chance = np.random.default_rng(0)
    return torch.from_numpy(chance.integers(0, 256, shape).astype(np.float32))


@pytest.mark.parametrize("length", [1, 5, 40])
@pytest.mark.parametrize("sigma", [0.5, 2.0, 16.0])
def test_blur_is_scipys(length, sigma):
    """Beyond a short line its ends are counted many times: both do so."""
    line = np.random.default_rng(1).normal(size=length)
    said = blur_matrix(length, sigma).numpy() @ line
    np.testing.assert_allclose(said, gaussian_filter1d(line, sigma, mode="nearest"), atol=1e-12)


@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_scikit_images(channels):
    """It works in float32 on levels up to 1: 1e-5."""
    picture = levels(1, channels, 24, 31)
    space = ScaleSpace(channels, largest=4.0)
    said = space(picture)[0]
    planes = picture[0].numpy().astype(np.uint8)
    for channel, plane in enumerate(planes):
        peer = multiscale_basic_features(plane, sigma_min=0.5, sigma_max=4.0)
        mine = said[channel * 16 : (channel + 1) * 16].movedim(0, 2)
        np.testing.assert_allclose(mine, peer, atol=1e-5)
    assert len(said) == space.features


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2)])
def test_tiny_pictures_have_finite_features(shape):
    said = ScaleSpace(1)(levels(1, 1, *shape))
    assert said.shape == (1, 24, *shape)
    assert said.isfinite().all()


def test_a_flat_picture_has_neither_edges_nor_bends():
    said = ScaleSpace(1)(torch.full((1, 1, 9, 9), 51.0))[0].unflatten(0, (-1, 4))
    torch.testing.assert_close(said[:, 0], torch.full_like(said[:, 0], 0.2))
    assert said[:, 1:].abs().max() < 1e-12
