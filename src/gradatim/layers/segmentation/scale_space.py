"""What a person would measure around every pixel: brightness, edges and bends at many scales."""

import math

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ScaleSpace", "blur_matrix"]

TRUNCATE = 4.0


def blur_matrix(length: int, sigma: float) -> Float64[Tensor, "length length"]:
    """Return the matrix that blurs a line of pixels, its ends continued by their last pixel.

    G_ij = sum of the Gaussian's weights w_k for which i + k, moved into the line, is j; w_k is
    proportional to exp(-k^2 / (2 sigma^2)) for |k| <= 4 sigma and sums to 1.

    Args:
        length: of the line.
        sigma: in pixels, > 0.

    Source: Lindeberg 1994, "Scale-space theory"; `scipy.ndimage.gaussian_filter(mode="nearest")`.

    >>> blur_matrix(3, 0.5).sum(1).allclose(torch.ones(3, dtype=torch.float64))
    True
    """
    radius = int(TRUNCATE * sigma + 0.5)
    k = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = (-0.5 * (k / sigma).square()).exp()
    weights = weights / weights.sum()
    places = torch.arange(length)[:, None] + torch.arange(-radius, radius + 1)
    matrix = torch.zeros(length, length, dtype=torch.float64)
    return matrix.scatter_add_(1, places.clamp(0, length - 1), weights.expand(length, -1))


class ScaleSpace(nn.Module):
    """For each channel and scale: the blurred level, its slope, and the two main curvatures.

    L = G_sigma * picture; |grad L| by Sobel's filter; the eigenvalues of the Hessian of L, large
    along lines and spots. Scales are powers of 2 times the smallest.

    Args:
        channels: of the pictures.
        smallest: sigma of the first scale, in pixels.
        largest: no sigma is above it.

    Source: Arganda-Carreras et al. 2017 (Trainable Weka Segmentation); Berg et al. 2019 (ilastik);
        `skimage.feature.multiscale_basic_features` computes the same numbers.
    """

    def __init__(self, channels: int, smallest: float = 0.5, largest: float = 16.0) -> None:
        super().__init__()
        count = int(math.log2(largest) - math.log2(smallest) + 1)
        self.sigmas = [smallest * 2**k for k in range(count)]
        self.features = channels * count * 4

    def forward(
        self, levels: Float[Tensor, "rows channels height width"]
    ) -> Float64[Tensor, "rows features height width"]:
        """Return the features of every pixel, of levels from 0 to 255."""
        planes = levels.double() / 255
        down, across = planes.shape[2:]
        found = []
        for sigma in self.sigmas:
            left = blur_matrix(down, sigma).to(planes.device)
            right = blur_matrix(across, sigma).to(planes.device)
            blurred = left @ planes @ right.T
            found += [blurred, _edges(blurred), *_curvatures(blurred)]
        return torch.stack(found, 2).flatten(1, 2)


def _edges(x: Tensor) -> Tensor:
    """Return the size of the slope by Sobel's filter: differences, smoothed across by 1, 2, 1."""
    p = F.pad(x, (1, 1, 1, 1), mode="replicate")
    down, across = p[:, :, 2:] - p[:, :, :-2], p[..., 2:] - p[..., :-2]
    down = (down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]) / 4
    across = (across[:, :, :-2] + 2 * across[:, :, 1:-1] + across[:, :, 2:]) / 4
    return ((down.square() + across.square()) / 2).sqrt()


def _curvatures(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues of the Hessian, the larger one first."""
    down, across = _slope(x, 2), _slope(x, 3)
    a, b, d = _slope(down, 2), _slope(down, 3), _slope(across, 3)
    middle, spread = (a + d) / 2, (((a - d) / 2).square() + b.square()).sqrt()
    return middle + spread, middle - spread


def _slope(x: Tensor, axis: int) -> Tensor:
    """Return central differences, one-sided at the ends; a lone pixel has no slope."""
    if x.shape[axis] < 2:
        return torch.zeros_like(x)
    slope: Tensor = torch.gradient(x, dim=axis)[0]
    return slope
