"""What a sound is made of, moment by moment: spectra, log-mel spectra, cepstra and their slopes."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

__all__ = ["begun_at", "cosine_basis", "decibels", "frames_of", "loud_part", "power_spectra"]
__all__ += ["slopes", "stretched"]

_QUIETEST = 1e-10  # power below which all is silence: -100 dB


def frames_of(samples: int, hop: int) -> int:
    """Return how many frames `power_spectra` makes of so many samples.

    >>> frames_of(8000, 80)
    101
    """
    return 1 + samples // hop


def power_spectra(
    signal: Float[Tensor, "rows samples"], size: int, hop: int, window: int | None = None
) -> Float[Tensor, "rows frequencies frames"]:
    """Return |sum over n of w_n x_(t hop + n) exp(-2 pi i k n / size)|^2 for every frame t.

    w is Hann's window sin^2(pi n / window), in the middle of the frame; frame t has its middle at
    sample t hop, and outside of the signal there is silence.

    Args:
        signal: samples, full scale is 1.
        size: of a frame, in samples; even.
        hop: samples between two frames.
        window: samples that are weighed; the whole frame when None.

    Returns:
        size / 2 + 1 frequencies from 0 to half the rate, 1 + samples // hop frames.

    Source: Allen & Rabiner 1977, "A unified approach to short-time Fourier analysis"; the
        definition of `librosa.stft` with zeros around the signal.

    >>> tone = torch.sin(2 * math.pi * 1000 / 8000 * torch.arange(800.0))[None]
    >>> int(power_spectra(tone, 256, 80)[0, :, 5].argmax())  # 1000 Hz is 256 / 8 of the rate
    32
    """
    shape = torch.hann_window(window or size, dtype=signal.dtype, device=signal.device)
    before = (size - len(shape)) // 2
    shape = F.pad(shape, (before, size - len(shape) - before))
    around = F.pad(signal, (size // 2, size // 2))
    spectrum = torch.view_as_real(torch.fft.rfft(around.unfold(1, size, hop) * shape))
    return spectrum.square().sum(-1).transpose(1, 2)


def decibels(
    power: Float[Tensor, "rows bands frames"], depth: float = 80.0
) -> Float[Tensor, "rows bands frames"]:
    """Return 10 log10(power), no lower than `depth` below the loudest of the row.

    Args:
        power: at least 0; anything below 1e-10 counts as 1e-10.
        depth: decibels, at least 0.

    Source: the definition of `librosa.power_to_db` with ref = 1.

    >>> decibels(torch.tensor([[[1.0, 0.1, 0.0]]]))
    tensor([[[  0., -10., -80.]]])
    """
    level = 10 * power.clamp_min(_QUIETEST).log10()
    return torch.maximum(level, level.amax((1, 2), keepdim=True) - depth)


def loud_part(
    power: Float[Tensor, "rows bands frames"], depth: float = 30.0
) -> tuple[Int64[Tensor, " rows"], Int64[Tensor, " rows"]]:
    """Return where a sound begins and how many frames it lasts: silence before and after is none.

    From the first to the last frame whose power, summed over the bands, is at most `depth` below
    that of the loudest. Silence in between stays; a row without any sound is loud everywhere.

    Args:
        power: at least 0.
        depth: decibels.

    Source: after Rabiner & Sambur 1975, "An algorithm for determining the endpoints of isolated
        utterances".

    Deviations: one threshold below the loudest frame, instead of three that are learnt from the
    first 100 ms, which need not be silent here.

    >>> loud_part(torch.tensor([[[0.0, 1.0, 0.0, 0.5, 0.0, 0.0]]]))
    (tensor([1]), tensor([3]))
    """
    total = power.sum(1).clamp_min(_QUIETEST)
    loud = total >= total.amax(1, keepdim=True) * 10 ** (-depth / 10)
    places = torch.arange(loud.shape[1], device=loud.device)
    first = torch.where(loud, places, loud.shape[1]).amin(1)
    return first, torch.where(loud, places, 0).amax(1) - first + 1


def begun_at(
    values: Float[Tensor, "rows bands frames"],
    first: Int64[Tensor, " rows"],
    lengths: Int64[Tensor, " rows"],
) -> Float[Tensor, "rows bands frames"]:
    """Return each row from its first frame on; the last of its `lengths` frames goes on to the end.

    >>> begun_at(torch.arange(5.0)[None, None], torch.tensor([1]), torch.tensor([3]))
    tensor([[[1., 2., 3., 3., 3.]]])
    """
    frames = torch.arange(values.shape[2], device=values.device)
    index = first[:, None] + torch.minimum(frames, lengths[:, None] - 1)
    return values.gather(2, index[:, None].expand_as(values))


def cosine_basis(count: int, bands: int) -> Float[Tensor, "count bands"]:
    """Return the first rows of the orthonormal discrete cosine transform (DCT-II).

    c_kb = s_k cos(pi k (2 b + 1) / (2 B)) with s_0 = sqrt(1 / B), else sqrt(2 / B). Times log-mel
    spectra these are the mel-frequency cepstral coefficients (MFCC): the coarse shape of a
    spectrum comes first, and what neighbouring bands share is told once.

    Args:
        count: coefficients wanted, at most `bands`.
        bands: B, of the log-mel spectrum.

    Source: Davis & Mermelstein 1980; Ahmed, Natarajan & Rao 1974.

    >>> basis = cosine_basis(4, 4)
    >>> torch.allclose(basis @ basis.T, torch.eye(4, dtype=torch.float64))
    True
    """
    k = torch.arange(count, dtype=torch.float64)[:, None]
    b = torch.arange(bands, dtype=torch.float64)
    basis = (2 / bands) ** 0.5 * torch.cos(math.pi * k * (2 * b + 1) / (2 * bands))
    basis[0] /= 2**0.5
    return basis


def slopes(
    values: Float[Tensor, "rows bands frames"], reach: int = 2
) -> Float[Tensor, "rows bands frames"]:
    """Return how values change a frame: the slope of the line through 2 reach + 1 of them.

    d_t = sum over n of n (v_(t+n) - v_(t-n)) / (2 sum over n of n^2), n = 1 .. reach. The first and
    the last value go on beyond the ends.

    Args:
        values: any.
        reach: frames to either side.

    Source: Furui 1986; Young et al. 2006, "The HTK Book", equation (5.16).

    >>> slopes(torch.arange(6.0)[None, None])[0, 0]
    tensor([0.5000, 0.8000, 1.0000, 1.0000, 0.8000, 0.5000])
    """
    steps = torch.arange(-reach, reach + 1, dtype=values.dtype, device=values.device)
    around = F.pad(values, (reach, reach), mode="replicate")
    return around.unfold(2, 2 * reach + 1, 1) @ (steps / steps.square().sum())


def stretched(
    values: Float[Tensor, "rows bands before"], lengths: Int64[Tensor, " rows"], frames: int
) -> Float[Tensor, "rows bands frames"]:
    """Return the first `lengths` frames of each row, brought to one number of frames.

    Frame j is the mean of the values, each lasting one frame, from c_j - w / 2 to c_j + w / 2, with
    c_j = (j + 1/2) T / F and w = max(1, T / F): linear interpolation between the middles of frames
    when T < F, the mean of the frames that fall into one when T > F.

    Args:
        values: any.
        lengths: T of each row, from 1 to all frames.
        frames: F.

    >>> stretched(torch.tensor([[[1.0, 3.0, 5.0, 9.0]]]), torch.tensor([4]), 2)
    tensor([[[2., 7.]]])
    >>> stretched(torch.tensor([[[1.0, 3.0, 0.0, 0.0]]]), torch.tensor([2]), 4)
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    ratio = lengths.to(torch.float64)[:, None] / frames
    half = ratio.clamp_min(1) / 2
    middle = (torch.arange(frames, device=values.device) + 0.5) * ratio
    middle = torch.minimum(middle.clamp_min(half), lengths[:, None] - half)
    total = F.pad(values.to(torch.float64).cumsum(2), (1, 0))
    mean = (_between(total, middle + half) - _between(total, middle - half)) / (2 * half)[:, None]
    return mean.to(values.dtype)


def _between(total: Tensor, places: Tensor) -> Tensor:
    """Return running sums at places between their entries."""
    below = places.floor().long().clamp(0, total.shape[2] - 2)
    share = (places - below)[:, None]
    index = below[:, None].expand(-1, total.shape[1], -1)
    return (1 - share) * total.gather(2, index) + share * total.gather(2, index + 1)
