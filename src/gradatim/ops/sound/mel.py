"""The mel scale: frequencies at distances that an ear hears as equal, and filters along it."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["MelScale", "hertz_of", "mel_filters", "mel_frequencies", "mel_of"]

MelScale = Literal["slaney", "htk"]

_STEP = 200 / 3  # hertz a mel, where Slaney's scale is linear
_KNEE = 1000.0  # hertz; above, Slaney's scale is logarithmic
_GROWTH = math.log(6.4) / 27  # log frequency a mel, above the knee


def mel_of(hertz: Float[Tensor, "..."], scale: MelScale = "slaney") -> Float[Tensor, "..."]:
    """Return where frequencies lie on the mel scale.

    slaney: 3 f / 200 up to 1000 Hz, then 15 + 27 ln(f / 1000) / ln 6.4.
    htk: 2595 log10(1 + f / 700).

    Args:
        hertz: frequencies, at least 0.
        scale: which definition.

    Source: Slaney 1998, "Auditory Toolbox", version 2; Young et al. 2006, "The HTK Book",
        equation (5.13), after O'Shaughnessy 1987.

    >>> mel_of(torch.tensor([110.0, 220.0, 440.0]))  # as in librosa's documentation
    tensor([1.6500, 3.3000, 6.6000])
    """
    if scale == "htk":
        return 2595 * torch.log10(1 + hertz / 700)
    above = 15 + (hertz.clamp_min(_KNEE) / _KNEE).log() / _GROWTH
    return torch.where(hertz < _KNEE, hertz / _STEP, above)


def hertz_of(mel: Float[Tensor, "..."], scale: MelScale = "slaney") -> Float[Tensor, "..."]:
    """Return the frequencies at places of the mel scale: the inverse of `mel_of`.

    >>> hertz_of(torch.tensor([1.0, 2.0, 3.0]))
    tensor([ 66.6667, 133.3333, 200.0000])
    """
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    above = _KNEE * (_GROWTH * (mel - _KNEE / _STEP)).exp()
    return torch.where(mel < _KNEE / _STEP, _STEP * mel, above)


def mel_frequencies(
    count: int, lowest: float, highest: float, scale: MelScale = "slaney"
) -> Float[Tensor, " count"]:
    """Return frequencies at equal distances on the mel scale, both ends included.

    Args:
        count: how many, at least 2.
        lowest: in hertz.
        highest: in hertz.
        scale: which definition.

    >>> mel_frequencies(3, 0.0, 1000.0)
    tensor([   0.0000,  500.0000, 1000.0000], dtype=torch.float64)
    """
    # On the CPU, for two numbers are wanted also where a model is built without its own.
    ends = torch.tensor([lowest, highest], dtype=torch.float64, device="cpu")
    first, last = mel_of(ends, scale).tolist()
    return hertz_of(torch.linspace(first, last, count, dtype=torch.float64), scale)


def mel_filters(
    rate: int,
    size: int,
    mels: int,
    *,
    lowest: float = 0.0,
    highest: float | None = None,
    scale: MelScale = "slaney",
    normed: bool = True,
) -> Float[Tensor, "mels frequencies"]:
    """Return triangles on the mel scale, each weighing the frequencies of a spectrum.

    w_m(f) = max(0, min((f - f_(m-1)) / (f_m - f_(m-1)), (f_(m+1) - f) / (f_(m+1) - f_m))),
    where `normed` times 2 / (f_(m+1) - f_(m-1)), so that each has the area 1 over the hertz.

    Args:
        rate: samples a second.
        size: of the Fourier transform, in samples; it has size / 2 + 1 frequencies.
        mels: how many filters.
        lowest: frequency where the first begins, in hertz.
        highest: frequency where the last ends; half the rate when None.
        scale: which definition of the mel scale.
        normed: whether areas are equal (Slaney) or peaks are (HTK).

    Source: Slaney 1998; the definition of `librosa.filters.mel`.

    >>> filters = mel_filters(8000, 512, 20)
    >>> filters.shape, float(filters[5].sum() * 8000 / 512)  # the sum comes near the area
    (torch.Size([20, 257]), 0.99...)
    """
    spectrum = torch.linspace(0, rate / 2, size // 2 + 1, dtype=torch.float64)
    edges = mel_frequencies(mels + 2, lowest, highest or rate / 2, scale)
    widths = edges.diff()[:, None]
    rising = (spectrum - edges[:-2, None]) / widths[:-1]
    falling = (edges[2:, None] - spectrum) / widths[1:]
    triangles = torch.minimum(rising, falling).clamp_min(0)
    return triangles * 2 / (edges[2:] - edges[:-2])[:, None] if normed else triangles
