"""Recordings to log-mel spectra: how loud each band of frequencies is, moment by moment."""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int16, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.signature import Sound
from gradatim.layers.blocks import in_blocks
from gradatim.ops.sound.mel import mel_filters
from gradatim.ops.sound.spectra import (
    begun_at,
    decibels,
    frames_of,
    loud_part,
    power_spectra,
    stretched,
)

__all__ = ["BANDS", "LogMel", "Spectra", "normalised", "picture_of_sound"]

BANDS = 40
FEWEST, MOST = 40, 160
"""Frames that networks see of a recording."""
FULL_SCALE = 32768
WINDOW, HOP = 0.025, 0.010
"""Seconds that a spectrum sees, and seconds between two spectra, as speech recognition has them."""
DEPTH = 60.0
"""Decibels below the loudest that are told from silence."""

Recordings = Int16[Tensor, "rows samples"]
Layout = Literal["planes", "steps", "flat"]


class Spectra(nn.Module):
    """Decibels in mel bands every 10 ms, from where the sound begins to where it ends.

    What is 60 dB below the loudest of the recording, or more, is silence. Frames at either end that
    are 30 dB below the loudest frame do not count, so neither do zeros after the end.

    Args:
        sound: the recordings, as the signature has them.
        bands: mel filters from 0 to half the rate.
    """

    filters: Tensor

    def __init__(self, sound: Sound, bands: int = BANDS) -> None:
        super().__init__()
        self.hop = max(1, round(HOP * sound.rate))
        self.window = max(4, round(WINDOW * sound.rate))
        self.size = 1 << (self.window - 1).bit_length()
        self.per_row = 6 * self.size * frames_of(sound.length, self.hop)
        self.register_buffer("filters", mel_filters(sound.rate, self.size, bands).float())

    def forward(
        self, recordings: Recordings
    ) -> tuple[Float[Tensor, "rows bands frames"], Int64[Tensor, " rows"]]:
        """Return the levels, and how many frames count; the last of these goes on to the end."""
        power = self.power(recordings)
        first, lengths = loud_part(power)
        return begun_at(decibels(power, DEPTH), first, lengths), lengths

    def power(self, recordings: Recordings) -> Float[Tensor, "rows bands frames"]:
        """Return the power in each band, of all frames."""
        signal = recordings.to(torch.float32) / FULL_SCALE
        return self.filters @ power_spectra(signal, self.size, self.hop, self.window)


class LogMel(nn.Module):
    """Log-mel spectra, each recording brought to one loudness, one contrast and one length.

    (v - mean) / deviation over all bands and frames of the recording; then it is stretched or
    shrunk in time to the wanted frames. It learns nothing.

    Args:
        sound: the recordings, as the signature has them.
        bands: mel filters from 0 to half the rate.
        frames: wanted; None takes a third of those of the longest recording, within 40 to 160.
        layout: planes (1, bands, frames), steps (frames, bands), or one flat row of numbers.
        dtype: of the result; networks take float32, solvers float64.
    """

    def __init__(
        self,
        sound: Sound,
        bands: int = BANDS,
        frames: int | None = None,
        *,
        layout: Layout = "planes",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.spectra = Spectra(sound, bands)
        third = frames_of(sound.length, self.spectra.hop) // 3
        self.frames = frames or min(MOST, max(FEWEST, third))
        self.layout, self.dtype = layout, dtype
        self.features = bands * self.frames

    def fit(self, recordings: Recordings) -> "LogMel":
        """Learn nothing."""
        return self

    def forward(self, recordings: Recordings) -> Float[Tensor, "rows *features"]:
        """Return normalised spectra in the wanted layout."""
        planes = in_blocks(self._planes, recordings, self.spectra.per_row).to(self.dtype)
        if self.layout == "planes":
            return planes[:, None]
        return planes.transpose(1, 2) if self.layout == "steps" else planes.flatten(1)

    def _planes(self, recordings: Tensor) -> Tensor:
        levels, lengths = self.spectra(recordings)
        return stretched(normalised(levels, lengths), lengths, self.frames)


def normalised(
    levels: Float[Tensor, "rows bands frames"], lengths: Int64[Tensor, " rows"]
) -> Float[Tensor, "rows bands frames"]:
    """Return (v - mean) / deviation of each row, both over its first `lengths` frames.

    Bands keep their proportions: in a short recording the mean of a band is what was said, and not
    the microphone's. A row that never changes is 0.
    """
    real = (torch.arange(levels.shape[2], device=levels.device) < lengths[:, None])[:, None]
    count = (lengths * levels.shape[1])[:, None, None].to(levels.dtype)
    centred = levels - (levels * real).sum((1, 2), keepdim=True) / count
    variance = (centred * real).square().sum((1, 2), keepdim=True) / count
    return centred / variance.sqrt().clamp_min(1e-3)


def picture_of_sound(recording: np.ndarray, rate: int, width: int | None = None) -> np.ndarray:
    """Return one recording for people: time to the right, high frequencies above, loud is bright.

    Args:
        recording: int16 (samples,), with or without zeros after its end.
        rate: samples a second.
        width: of the picture, in pixels; None takes one a frame, 10 ms.

    Returns:
        uint8 (1, 64, width): 255 is the loudest of the recording, 0 is 60 dB below it or less.

    >>> chirp = np.sin(0.0005 * np.arange(4000.0) ** 2)
    >>> picture_of_sound((8000 * chirp).astype(np.int16), 8000).shape
    (1, 64, 51)
    """
    row = torch.from_numpy(np.trim_zeros(recording, "b").copy())[None]
    row = F.pad(row, (0, 1 - row.shape[1])) if not row.shape[1] else row
    spectra = Spectra(Sound(rate=rate, length=row.shape[1]), bands=64)
    levels = decibels(spectra.power(row), DEPTH)
    if width is not None:
        levels = stretched(levels, torch.tensor([levels.shape[2]]), width)
    bright = 255 * (1 + (levels - levels.amax()) / DEPTH).clamp(0, 1)
    return bright.round().to(torch.uint8).flip(1).numpy()
