"""One recording: from the bytes of a file to int16 samples of one channel at a wanted rate."""

import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.signature import Sound
from gradatim.data.naming import shown

__all__ = ["FULL_SCALE", "RATES", "Header", "load_sound", "sound_header"]

FULL_SCALE = 32768
"""What the level 1.0 is as int16."""
RATES = (100, 1_000_000)
"""Samples a second that a recording may have."""
_DENSEST = 5000  # samples that a byte may stand for: silence in FLAC takes a byte for some 400


@dataclass(frozen=True)
class Header:
    """What a file says of itself. `samples` is of one channel, at its own rate."""

    rate: int
    samples: int
    channels: int
    format: str


def sound_header(path: Path, name: str) -> Header:
    """Return what a file says of itself, without decoding it.

    Args:
        path: of the file.
        name: for messages.

    Raises:
        DataError: it is empty, no recording, has no samples, or says what cannot be.
        ConfigError: soundfile is not installed.
    """
    soundfile = _soundfile()
    try:
        size = path.stat().st_size
        if not size:
            raise _trouble(name, "the file is empty")
        # Bytes: a name that is no UTF-8 could not be encoded otherwise.
        with soundfile.SoundFile(os.fsencode(path)) as file:
            header = Header(file.samplerate, file.frames, file.channels, file.format)
    except (OSError, soundfile.SoundFileError) as error:
        raise _trouble(name, _reason(error)) from error
    if header.samples < 1:
        raise _trouble(name, "it holds no samples")
    if header.samples * header.channels > _DENSEST * size:
        raise _trouble(name, f"it claims {header.samples:,} samples in {size:,} bytes")
    if not RATES[0] <= header.rate <= RATES[1]:
        raise _trouble(name, f"it claims {header.rate:,} samples a second")
    return header


def load_sound(content: bytes, sound: Sound, name: str) -> np.ndarray:
    """Return the samples of a recording, without the zeros at its end.

    Channels are averaged, then the rate is changed by a polyphase filter, then levels are rounded
    to int16. What is longer than `sound.length` is cut. Levels above full scale, which only files
    of floats have, are divided by the loudest.

    Args:
        content: of the file; what it is decides, not its name.
        sound: rate and length wanted.
        name: for messages.

    Returns:
        int16, at least one sample, the last one not 0.

    Raises:
        DataError: it cannot be decoded, holds NaN, or is silent.
    """
    soundfile = _soundfile()
    if not content:
        raise _trouble(name, "the file is empty")
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate = file.samplerate
            most = min(file.frames, -(-sound.length * rate // sound.rate))
            values = file.read(most, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise _trouble(name, _reason(error)) from error
    if len(values) < 0.9 * most:
        raise _trouble(name, f"it breaks off after {len(values):,} of {most:,} samples")
    if not np.isfinite(values).all():
        raise _trouble(name, "it holds NaN or infinite levels")
    levels = _at_rate(values.mean(1, dtype=np.float64), rate, sound.rate)[: sound.length]
    samples = _rounded(levels)
    real = np.flatnonzero(samples)
    if not len(real):
        trouble = "is silent from begin to end" if len(samples) else "holds no samples"
        raise _trouble(name, f"it {trouble}")
    return samples[: real[-1] + 1]


def _at_rate(levels: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    if rate == wanted or not len(levels):
        return levels
    from scipy.signal import resample_poly

    common = math.gcd(rate, wanted)
    return np.asarray(resample_poly(levels, wanted // common, rate // common))


def _rounded(levels: np.ndarray) -> np.ndarray:
    loudest = float(np.abs(levels).max(initial=1.0))
    scaled = np.rint(levels / loudest * FULL_SCALE)
    return scaled.clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _soundfile() -> Any:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: its C library is not there
        what = f"recordings are read by soundfile, which is not there ({error})"
        raise ConfigError(f'{what}; install it: pip install "gradatim[sound]"') from error
    return soundfile


def _trouble(name: str, what: str) -> DataError:
    return DataError(f"{shown(name, 200)}: {what}")


def _reason(error: Exception) -> str:
    # What libsndfile says may be empty, and its prefix may hold an address in memory.
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None)
    text = str(text or "it cannot be decoded").strip().removeprefix("Error : ").rstrip(".")
    return f"{text[:1].lower()}{text[1:]}"
