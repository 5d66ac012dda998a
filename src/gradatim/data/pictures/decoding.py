"""Many picture files at once: sizes first, then decoding in threads; broken ones set apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image as Pillow

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.core.signature import Image
from gradatim.data.files import must_fit
from gradatim.data.many_files import decode_all, looked_at
from gradatim.data.naming import listed, shown
from gradatim.data.pictures.conversion import Header, load_picture, picture_header

__all__ = ["Decoded", "colourless", "common_shape", "decode_files", "disguises", "headers_of"]

LARGEST_SIDE = 64


@dataclass(frozen=True)
class Decoded:
    """Pictures of one size. `good` marks the files that could be decoded; the others are zeros."""

    planes: np.ndarray
    good: np.ndarray
    troubles: tuple[str, ...]
    fingerprint: str


def headers_of(files: Sequence[Path], names: Sequence[str]) -> list[Header | DataError]:
    """Return the header of each file, or the complaint about it."""
    return looked_at(picture_header, files, names)


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

    def take(row: int, content: bytes) -> None:
        planes[row] = load_picture(content, image.channels, shape[1:], names[row], image.fit)

    done = decode_all(take, files, names, name)
    return Decoded(planes, done.good, done.troubles, done.fingerprint)


def colourless(planes: np.ndarray) -> bool:
    """Tell whether pictures (rows, channels, height, width) with three channels are grey."""
    first, *others = (planes[:, channel] for channel in range(planes.shape[1]))
    return bool(others) and all(np.array_equal(first, other) for other in others)
