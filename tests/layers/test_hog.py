"""Histograms of oriented gradients, against scikit-image."""

import numpy as np
import pytest
import torch

from gradatim.core.signature import Image
from gradatim.layers.hog import HogFeatures, hog


def reference(picture: np.ndarray, cell: int, block: int = 2, orientations: int = 9) -> np.ndarray:
    skimage = pytest.importorskip("skimage.feature")
    return skimage.hog(
        picture,
        orientations=orientations,
        pixels_per_cell=(cell, cell),
        cells_per_block=(block, block),
        block_norm="L2-Hys",
        channel_axis=0,
    )


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(
    ("shape", "cell", "block", "orientations"),
    [
        ((1, 28, 28), 4, 2, 9),
        ((1, 28, 28), 7, 2, 9),  # odd cells
        ((3, 30, 21), 5, 2, 9),  # colour; a remainder of 1 column that no cell sees
        ((1, 24, 16), 8, 1, 6),
        ((3, 32, 32), 8, 3, 12),
    ],
)
def test_equals_scikit_image(shape, cell, block, orientations):
    planes = pictures(4, *shape)
    ours = hog(planes, cell, block, orientations)
    theirs = np.stack([reference(p.numpy(), cell, block, orientations) for p in planes])
    # scikit-image adds a cell's votes in float32; a vote in the wrong bin would show as ~1e-2.
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-6)


def test_whole_numbers_with_even_areas_equal_scikit_image():
    """Gradients of 0, and along the axes, lie on the edges of the bins."""
    rows = torch.randint(0, 3, (6, 1, 24, 24), generator=torch.Generator().manual_seed(1))
    planes = rows.repeat_interleave(2, 2).repeat_interleave(2, 3).double()
    theirs = np.stack([reference(p.numpy(), 8) for p in planes])
    np.testing.assert_allclose(hog(planes, 8).numpy(), theirs, atol=1e-5)


def test_contrast_and_brightness_hardly_matter():
    planes = pictures(2, 1, 16, 16)
    torch.testing.assert_close(hog(planes, 4), hog(0.3 * planes + 0.5, 4), atol=1e-6, rtol=0)


def test_an_even_picture_has_no_edges_and_finite_slopes():
    even = torch.full((1, 1, 16, 16), 0.5, dtype=torch.float64, requires_grad=True)
    features = hog(even, 4)
    features.sum().backward()
    assert features.abs().max() < 1e-8
    assert even.grad is not None
    assert torch.isfinite(even.grad).all()


@pytest.mark.parametrize(
    ("channels", "height", "width"),
    [(1, 8, 8), (1, 28, 28), (3, 32, 48), (1, 300, 200), (1, 100, 3), (1, 1, 1)],
)
def test_features_have_the_number_that_is_announced(channels, height, width):
    features = HogFeatures(Image(channels=channels, height=height, width=width))
    stored = (255 * pictures(3, channels, height, width)).to(torch.uint8)
    assert features.fit(stored)(stored).shape == (3, features.features)
    assert max(features.size) <= 64


def test_rows_do_not_depend_on_each_other():
    features = HogFeatures(Image(channels=1, height=8, width=8))
    stored = (255 * pictures(5, 1, 8, 8)).to(torch.uint8)
    alone = torch.cat([features(row) for row in stored.split(1)])
    torch.testing.assert_close(features(stored), alone)


def test_small_pictures_are_enlarged_before_edges_are_looked_for():
    features = HogFeatures(Image(channels=1, height=8, width=8))
    assert features.size == (28, 28)
    stored = (255 * pictures(2, 1, 8, 8)).to(torch.uint8)
    enlarged = torch.nn.functional.interpolate(stored.float() / 255, (28, 28), mode="bilinear")
    theirs = np.stack([reference(p.double().numpy(), 4) for p in enlarged])
    np.testing.assert_allclose(features(stored).numpy(), theirs, atol=1e-6)
