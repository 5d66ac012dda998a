"""IDX files, the format that MNIST came in: a magic number, the sizes, the bytes."""

import math
from pathlib import Path

import numpy as np

from gradatim.core.errors import DataError
from gradatim.data.files import content_of
from gradatim.data.naming import shown

__all__ = ["read_idx"]

_UNSIGNED_BYTE = 0x08


def read_idx(path: Path, axes: int) -> tuple[np.ndarray, bytes]:
    """Return the uint8 array of an IDX file, and the content it was made of.

    Args:
        path: the file; unpacked when its name ends in .gz.
        axes: how many axes are expected: 1 for labels, 3 for pictures.

    Raises:
        DataError: another format or type, or more or fewer bytes than the header announces.
    """
    content = content_of(path)
    name = shown(path, 200)
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DataError(f"{name} is no IDX file: its magic number is wrong; download it again")
    kind, found = content[2], content[3]
    if kind != _UNSIGNED_BYTE or found != axes:
        expected = f"expected type 0x08 and {axes} axes"
        raise DataError(f"{name} has type 0x{kind:02x} and {found} axes, {expected}; convert it")
    start = 4 + 4 * axes
    if len(content) < start:
        raise DataError(f"{name} ends inside its header; download it again")
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    if len(content) - start != math.prod(shape):
        held = f"{len(content) - start} bytes of data, its header says {math.prod(shape)}"
        raise DataError(f"{name} has {held}; download it again")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape), content
