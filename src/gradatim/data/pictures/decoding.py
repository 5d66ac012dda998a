"""Many picture files at once: sizes first, then decoding in threads; broken ones set apart."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
from PIL import Image as Pillow

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.core.signature import Image
from gradatim.data.files import must_fit
from gradatim.data.naming import listed, shown
from gradatim.data.pictures.conversion import Header, load_picture, picture_header

__all__ = ["Decoded", "colourless", "common_shape", "decode_files", "disguises", "headers_of"]
__all__ += ["in_threads", "quarantined", "refuse_many"]

LARGEST_SIDE = 64
BROKEN_SHARE = 0.2
_AT_ONCE = 128

T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Decoded:
    """Pictures of one size. `good` marks the files that could be decoded; the others are zeros."""

    planes: np.ndarray
    good: np.ndarray
    troubles: tuple[str, ...]
    fingerprint: str


def headers_of(files: Sequence[Path], names: Sequence[str]) -> list[Header | DataError]:
    """Return the header of each file, or the complaint about it."""

    def header(row: int) -> Header | DataError:
        try:
            return picture_header(files[row], names[row])
        except DataError as error:
            return error

    return in_threads(header, range(len(files)))


def common_shape(
    headers: Sequence[Header | DataError], name: str, largest: int = LARGEST_SIDE
) -> tuple[Image, list[Finding]]:
    """Return the median height and width, shrunk to at most `largest` a side, and the colours.

    Args:
        headers: of all files.
        name: the location as the user gave it.
        largest: pixels that the longer side may have.

    Raises:
        DataError: no file has a header.
    """
    known = [header for header in headers if isinstance(header, Header)]
    if not known:
        trouble = f"none of {len(headers)} pictures can be used"
        raise DataError(f"{shown(name, 200)}: {trouble}; the first: {headers[0]}")
    sizes = np.array([(header.height, header.width) for header in known])
    median = np.median(sizes, axis=0)
    height, width = np.maximum(1, np.rint(median * min(1.0, largest / median.max())))
    grey = all(header.grey for header in known)
    image = Image(channels=1 if grey else 3, height=int(height), width=int(width))
    changed = int((sizes != (image.height, image.width)).any(1).sum())
    return image, _resize_note(changed, image, largest) if changed else []


def _resize_note(changed: int, image: Image, largest: int) -> list[Finding]:
    size = f"{image.width} x {image.height} pixels (width x height)"
    message = f"{changed} pictures are resized to {size}; their aspect ratio is not kept"
    return [Finding("resized", "note", message, f"the median size, at most {largest} a side")]


def disguises(headers: Sequence[Header | DataError], names: Sequence[str]) -> list[Finding]:
    """Return a note on files whose content is another format than their name says."""
    known = Pillow.registered_extensions()
    odd = [
        name
        for header, name in zip(headers, names, strict=True)
        if isinstance(header, Header)
        and known.get(PurePosixPath(name).suffix.lower()) != header.format.replace("MPO", "JPEG")
    ]
    if not odd:
        return []
    message = f"{len(odd)} pictures are of another format than their names say: {listed(odd, 3)}"
    return [Finding("other-format", "note", message, "they are read by content", tuple(odd[:5]))]


def decode_files(files: Sequence[Path], names: Sequence[str], image: Image, name: str) -> Decoded:
    """Decode every file.

    Args:
        files: where the pictures are.
        names: what each is called, relative to the folder.
        image: size and colours wanted.
        name: the location as the user gave it.

    Raises:
        DataError: above 20 % of the files cannot be decoded.
    """
    shape = (image.channels, image.height, image.width)
    must_fit(2 * len(files) * int(np.prod(shape)), name)
    planes = np.zeros((len(files), *shape), np.uint8)

    def decode(row: int) -> tuple[bytes, str]:
        try:
            content = files[row].read_bytes()
            planes[row] = load_picture(content, image.channels, shape[1:], names[row], image.fit)
            return hashlib.sha256(content).digest(), ""
        except (DataError, OSError) as error:
            return b"", str(error)

    results = in_threads(decode, range(len(files)))
    troubles = tuple(trouble for _, trouble in results if trouble)
    refuse_many(troubles, len(files), name)
    digest = hashlib.sha256()
    for label, (mark, _) in zip(names, results, strict=True):
        digest.update(label.encode() + b"\0" + mark)
    good = np.array([not trouble for _, trouble in results])
    return Decoded(planes, good, troubles, digest.hexdigest())


def colourless(planes: np.ndarray) -> bool:
    """Tell whether pictures (rows, channels, height, width) with three channels are grey."""
    first, *others = (planes[:, channel] for channel in range(planes.shape[1]))
    return bool(others) and all(np.array_equal(first, other) for other in others)


def quarantined(names: Sequence[str], good: np.ndarray, troubles: Sequence[str]) -> list[Finding]:
    """Return a warning on pictures that could not be decoded.

    Args:
        names: of all pictures.
        good: bool, which of them could be.
        troubles: what is wrong with the others.
    """
    broken = [name for name, usable in zip(names, good, strict=True) if not usable]
    if not broken:
        return []
    message = f"{len(broken)} pictures cannot be decoded and are left out; the first: {troubles[0]}"
    remedy = "copy them again or remove them"
    return [Finding("quarantined", "warning", message, remedy, tuple(broken[:20]))]


def refuse_many(troubles: Sequence[str], files: int, name: str, kind: str = "pictures") -> None:
    """Refuse data of which above 20 % of the pictures, or of another kind, cannot be used.

    Raises:
        DataError: with the first of the troubles.
    """
    if len(troubles) > BROKEN_SHARE * files:
        share = f"{len(troubles)} of {files} {kind} cannot be used"
        raise DataError(f"{shown(name, 200)}: {share}; the first: {troubles[0]}")


def in_threads(work: Callable[[Item], T], items: Sequence[Item]) -> list[T]:
    """Return what `work` makes of each item, in order; decoders let go of the interpreter."""
    starts = range(0, len(items), _AT_ONCE)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        chunks = pool.map(lambda i: [work(item) for item in items[i : i + _AT_ONCE]], starts)
        return [result for chunk in chunks for result in chunk]
