"""How strong the noise of a picture is, told by the picture alone."""

import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional as F

__all__ = ["noise_level"]

# Daubechies' wavelet with two vanishing moments: the filter that keeps detail.
_ROOT = 3**0.5
_DETAIL = torch.tensor([1 - _ROOT, _ROOT - 3, 3 + _ROOT, -1 - _ROOT]) / (4 * 2**0.5)
_QUARTILE = 0.6744897501960817  # of a normal distribution: half of all lies within


def noise_level(
    pictures: Float[Tensor, "rows channels height width"],
) -> Float32[Tensor, " rows"]:
    """Return the deviation of the white noise in each picture.

    sigma = median |d| / 0.6745 over the finest diagonal wavelet coefficients d, which hold little
    of a picture but all of its noise; the mean over the channels.

    Args:
        pictures: levels; at least 4 pixels high and wide.

    Returns:
        In the unit of the levels; too high where a picture is textured to the last pixel.

    Source: Donoho & Johnstone 1994, "Ideal spatial adaptation by wavelet shrinkage", section 4.1.

    Deviations: coefficients at the border are left out; scikit-image's `estimate_sigma` continues
    the picture by reflection.

    >>> int(noise_level(torch.zeros(1, 1, 8, 8)))
    0
    """
    planes = pictures.to(torch.float32).flatten(0, 1)[:, None]
    kernel = torch.outer(_DETAIL, _DETAIL).to(planes)[None, None]
    detail = F.conv2d(planes, kernel, stride=2).abs().flatten(1)
    sigma = detail.median(1).values / _QUARTILE
    return sigma.unflatten(0, pictures.shape[:2]).mean(1)
