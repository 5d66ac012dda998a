"""Pictures that keep their own size: each in the upper left of a canvas as large as the largest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.data.files import must_fit
from gradatim.data.many_files import decode_all, refuse_many
from gradatim.data.naming import shown
from gradatim.data.pictures.conversion import Header, load_picture
from gradatim.data.pictures.decoding import headers_of

__all__ = ["Canvas", "canvas_notes", "decode_canvas"]

MUCH_EMPTY = 0.5


@dataclass(frozen=True)
class Canvas:
    """Pictures of many sizes on canvases of one size.

    Args:
        planes: uint8 (rows, channels, height, width); zero beyond a picture's own size.
        sizes: int64 (rows, 2): height and width of each picture; 0 where it is broken.
        good: bool (rows,): whether the file could be decoded.
        troubles: what is wrong with the others, in their order.
        fingerprint: sha256 over names and bytes of all files.
    """

    planes: np.ndarray
    sizes: np.ndarray
    good: np.ndarray
    troubles: tuple[str, ...]
    fingerprint: str


def decode_canvas(
    files: Sequence[Path],
    names: Sequence[str],
    channels: int,
    name: str,
    headers: Sequence[Header | DataError] | None = None,
) -> Canvas:
    """Decode every file at its own size.

    Args:
        files: where the pictures are; one at least.
        names: what each is called, relative to the folder.
        channels: 1 for grey, 3 for RGB.
        name: the location as the user gave it.
        headers: what `headers_of` said of the files, when it was asked already.

    Raises:
        DataError: above 20 % of the files cannot be decoded.
        ResourceError: the canvases take more memory than there is.
    """
    headers = headers_of(files, names) if headers is None else headers
    refuse_many([str(head) for head in headers if isinstance(head, DataError)], len(files), name)
    known = [head for head in headers if isinstance(head, Header)]
    height, width = max(head.height for head in known), max(head.width for head in known)
    must_fit(2 * len(files) * channels * height * width, name)
    planes = np.zeros((len(files), channels, height, width), np.uint8)
    sizes = np.zeros((len(files), 2), np.int64)

    def take(row: int, content: bytes) -> None:
        head = headers[row]
        if isinstance(head, DataError):
            raise head
        picture = load_picture(content, channels, name=names[row])
        if picture.shape[1:] != (head.height, head.width):
            raise DataError(f"{shown(names[row], 200)} changed while it was read; read again")
        planes[row, :, : head.height, : head.width] = picture
        sizes[row] = head.height, head.width

    done = decode_all(take, files, names, name)
    return Canvas(planes, sizes, done.good, done.troubles, done.fingerprint)


def canvas_notes(canvas: Canvas) -> list[Finding]:
    """Return a note when sizes differ so much that at least half of the memory is empty canvas."""
    rows, _, height, width = canvas.planes.shape
    empty = 1 - canvas.sizes.prod(1).sum() / (rows * height * width)
    if empty < MUCH_EMPTY:
        return []
    message = f"pictures of many sizes share a canvas of {width} x {height}: {empty:.0%} is empty"
    return [Finding("canvas", "note", message, "keep pictures of very different sizes apart")]
