"""Many recordings at once: headers first, then decoding in threads; broken ones set apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.core.signature import Sound
from gradatim.data.files import must_fit
from gradatim.data.many_files import decode_all, looked_at
from gradatim.data.naming import listed, shown
from gradatim.data.sounds.conversion import Header, load_sound, sound_header

__all__ = ["KEPT_WHOLE", "Decoded", "common_sound", "decode_files", "headers_of", "remarks"]

KEPT_WHOLE = 0.995
"""Share of the recordings that keep their full length; longer ones are cut to the longest of
these, so that one long recording does not make every row as long."""
_FORMATS = {
    ".wav": ("WAV", "WAVEX", "RF64"),
    ".wave": ("WAV", "WAVEX", "RF64"),
    ".flac": ("FLAC",),
    ".ogg": ("OGG",),
    ".oga": ("OGG",),
    ".opus": ("OGG",),
    ".mp3": ("MP3", "MPEG"),
    ".aif": ("AIFF",),
    ".aiff": ("AIFF",),
}


@dataclass(frozen=True)
class Decoded:
    """Recordings as int16 (rows, length), zeros after the end of each, and their lengths.

    `good` marks the files that could be decoded; the others are zeros.
    """

    recordings: np.ndarray
    lengths: np.ndarray
    good: np.ndarray
    troubles: tuple[str, ...]
    fingerprint: str


def headers_of(files: Sequence[Path], names: Sequence[str]) -> list[Header | DataError]:
    """Return the header of each file, or the complaint about it."""
    return looked_at(sound_header, files, names)


def common_sound(headers: Sequence[Header | DataError], name: str) -> Sound:
    """Return the commonest rate, the lowest of them, and the length that 99.5 % do not exceed.

    Args:
        headers: of all files.
        name: the location as the user gave it.

    Raises:
        DataError: no file has a header.
    """
    known = [header for header in headers if isinstance(header, Header)]
    if not known:
        trouble = f"none of {len(headers)} recordings can be used"
        raise DataError(f"{shown(name, 200)}: {trouble}; the first: {headers[0]}")
    counts = Counter(header.rate for header in known)
    rate = min(counts, key=lambda rate: (-counts[rate], rate))
    lengths = [_length(header, rate) for header in known]
    return Sound(rate=rate, length=int(np.quantile(lengths, KEPT_WHOLE, method="higher")))


def _length(header: Header, rate: int) -> int:
    return -(-header.samples * rate // header.rate)


def remarks(
    headers: Sequence[Header | DataError], names: Sequence[str], sound: Sound
) -> list[Finding]:
    """Return notes on what was changed to make all recordings alike.

    Args:
        headers: of all files.
        names: of the files.
        sound: rate and length that they are brought to.
    """
    known = [(h, n) for h, n in zip(headers, names, strict=True) if isinstance(h, Header)]
    stereo = [n for h, n in known if h.channels > 1]
    other = [n for h, n in known if h.rate != sound.rate]
    long = [n for h, n in known if _length(h, sound.rate) > sound.length]
    odd = [n for h, n in known if not _as_named(h, n)]
    seconds = f"{sound.length / sound.rate:.3g} s"
    said = [
        ("stereo", stereo, "have several channels: their mean is taken", ""),
        ("resampled", other, f"are brought to {sound.rate:,} samples a second", ""),
        ("cut", long, f"are cut to {seconds}", f"{KEPT_WHOLE:.1%} are no longer than that"),
        ("other-format", odd, "are of another format than their names say", "read by content"),
    ]
    return [
        Finding(code, "note", f"{len(rows)} recordings {what}: {listed(rows, 3)}", why, _few(rows))
        for code, rows, what, why in said
        if rows
    ]


def _as_named(header: Header, name: str) -> bool:
    return header.format in _FORMATS.get(PurePosixPath(name).suffix.lower(), (header.format,))


def _few(rows: Sequence[str]) -> tuple[str, ...]:
    return tuple(rows[:5])


def decode_files(files: Sequence[Path], names: Sequence[str], sound: Sound, name: str) -> Decoded:
    """Decode every file.

    Args:
        files: where the recordings are.
        names: what each is called, relative to the folder.
        sound: rate and length wanted.
        name: the location as the user gave it.

    Raises:
        DataError: above 20 % of the files cannot be decoded.
        ResourceError: the recordings do not fit into memory.
    """
    # Twice as int16, once as the float32 of spectra of the same size, and a bit to work in.
    must_fit(8 * len(files) * sound.length, name)
    recordings = np.zeros((len(files), sound.length), np.int16)
    lengths = np.zeros(len(files), np.int64)

    def take(row: int, content: bytes) -> None:
        samples = load_sound(content, sound, names[row])
        recordings[row, : len(samples)], lengths[row] = samples, len(samples)

    done = decode_all(take, files, names, name, "recordings")
    return Decoded(recordings, lengths, done.good, done.troubles, done.fingerprint)
