"""How near a picture comes to the true one: mean squared error, PSNR and SSIM."""

import numpy as np
import torch
from jaxtyping import Float64, Shaped
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops.checked import finite

__all__ = ["ROUNDING", "as_levels", "mean_psnr", "mean_ssim", "psnr", "squared_error", "ssim"]
__all__ += ["typical_error"]

PEAK = 255.0
ROUNDING = 1 / 12
"""Mean squared error of rounding to whole levels: what nobody can tell from a perfect picture."""
SIDE, SIGMA = 11, 1.5  # of the window of Wang et al.


def as_levels(picture: Shaped[np.ndarray, "*shape"]) -> Shaped[np.ndarray, "*shape"]:
    """Return a picture as a file holds it: clipped to 0..255 and rounded to whole levels.

    Args:
        picture: levels, of any floating type.

    Returns:
        uint8 of the same shape.

    Source: the evaluation of Zhang et al. 2017 (DnCNN), which compares what `im2uint8` makes of
    the answer and of the truth.

    >>> as_levels(np.array([-3.0, 17.6, 300.0])).tolist()
    [0, 18, 255]
    """
    return np.asarray(np.rint(picture).clip(0, PEAK).astype(np.uint8))


def squared_error(
    picture: Shaped[np.ndarray, "channels h w"], truth: Shaped[np.ndarray, "channels h w"]
) -> float:
    """Return the mean over pixels and channels of (picture - truth)^2, in squared levels.

    >>> squared_error(np.full((1, 2, 2), 3.0), np.full((1, 2, 2), 5.0))
    4.0
    """
    return float(np.square(picture.astype(np.float64) - truth.astype(np.float64)).mean())


def psnr(error: float | np.ndarray) -> np.ndarray:
    """Return the peak signal-to-noise ratio of pictures with levels 0 to 255.

    10 log10(255^2 / error).

    Args:
        error: mean squared error of each picture, in squared levels.

    Returns:
        Decibels, higher is better.

    Source: the definition; `skimage.metrics.peak_signal_noise_ratio`.

    Deviations: an error below 1/12, which rounding alone would make, counts as 1/12: a score stays
    finite and ends at 58.92 dB.

    >>> round(float(psnr(25.0**2)), 2)
    20.17
    """
    return np.asarray(10 * np.log10(PEAK**2 / np.maximum(error, ROUNDING)))


def ssim(
    picture: Shaped[np.ndarray, "channels h w"], truth: Shaped[np.ndarray, "channels h w"]
) -> float:
    """Return how alike two pictures are in brightness, contrast and structure.

    SSIM = (2 m_x m_y + C1) (2 s_xy + C2) / ((m_x^2 + m_y^2 + C1) (s_x^2 + s_y^2 + C2)), with
    means m, variances s^2 and covariance s_xy under a Gaussian window of 11 x 11 pixels and
    deviation 1.5, C1 = (0.01 * 255)^2 and C2 = (0.03 * 255)^2; the mean over all windows that lie
    inside of the picture, and over the channels.

    Args:
        picture: levels 0 to 255; at least 11 pixels high and wide.
        truth: of the same shape.

    Returns:
        At most 1, which only equal pictures reach; higher is better.

    Raises:
        ValueError: no window fits in.

    Source: Wang, Bovik, Sheikh & Simoncelli 2004, equation (13).

    >>> ssim(np.eye(16)[None] * 200, np.eye(16)[None] * 200)
    1.0
    """
    height, width = truth.shape[1:]
    if min(height, width) < SIDE:
        raise ValueError(f"{width} x {height} pixels hold no window of {SIDE} x {SIDE}")
    x, y = (torch.from_numpy(p.astype(np.float64))[:, None] for p in (picture, truth))
    m_x, m_y, xx, yy, xy = _windows(torch.stack([x, y, x * x, y * y, x * y]))
    v_x, v_y, cov = xx - m_x**2, yy - m_y**2, xy - m_x * m_y
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    alike = (2 * m_x * m_y + c1) * (2 * cov + c2)
    return float((alike / ((m_x**2 + m_y**2 + c1) * (v_x + v_y + c2))).mean())


def _windows(
    maps: Float64[Tensor, "maps channels 1 h w"],
) -> Float64[Tensor, "maps channels 1 p q"]:
    """Return the weighted mean in each window; a Gaussian window is a column times a row."""
    steps = torch.arange(SIDE, dtype=torch.float64) - SIDE // 2
    weights = (-(steps**2) / (2 * SIGMA**2)).exp()
    weights /= weights.sum()
    down = F.conv2d(maps.flatten(0, 1), weights.view(1, 1, -1, 1))
    return F.conv2d(down, weights.view(1, 1, 1, -1)).unflatten(0, maps.shape[:2])


def mean_psnr(errors: np.ndarray, pixels: np.ndarray) -> float:
    """Return the mean PSNR of pictures, in decibels.

    Args:
        errors: (rows, 2): mean squared error and SSIM of each picture.
        pixels: (rows,): how many each has; a picture counts once, whatever its size.

    Source: the custom of the field: tables average decibels over pictures.

    >>> round(mean_psnr(np.array([[625.0, 0.5], [6.25, 0.9]]), np.ones(2)), 2)
    30.17
    """
    return float(psnr(finite("errors", errors)[:, 0]).mean())


def mean_ssim(errors: np.ndarray, pixels: np.ndarray) -> float:
    """Return the mean SSIM of pictures; arguments as in `mean_psnr`.

    >>> mean_ssim(np.array([[625.0, 0.5], [6.25, 1.0]]), np.ones(2))
    0.75
    """
    return float(finite("errors", errors)[:, 1].mean())


def typical_error(errors: np.ndarray, pixels: np.ndarray) -> float:
    """Return the root of the mean squared error of all pixels, in levels.

    Args:
        errors: as in `mean_psnr`.
        pixels: (rows,): the weight of each picture.

    >>> typical_error(np.array([[16.0, 0.5], [0.0, 1.0]]), np.array([100, 300]))
    2.0
    """
    return float(np.sqrt(np.average(finite("errors", errors)[:, 0], weights=pixels)))
