"""The pictures that a model was asked about, at their own size, with names safe to write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset
from gradatim.data.naming import plain_name, shown
from gradatim.data.pictures.conversion import load_picture, picture_header
from gradatim.data.pictures.listing import ENDINGS, list_pictures
from gradatim.data.sources import SOURCES

__all__ = ["Asked", "asked_pictures", "location", "safe_places"]

LONGEST = 200  # bytes of a file's or folder's name
UNSAFE = set('<>:"\\|?*')


@dataclass(frozen=True)
class Asked:
    """One picture.

    Args:
        name: of the row.
        place: folders and name, without ending, below any folder that is written to.
        height: of the picture itself, in pixels.
        width: likewise.
        pixels: uint8 (channels, height, width) as the model saw it.
        file: where it was read from; None when `pixels` are all that is known.
    """

    name: str
    place: PurePosixPath
    height: int
    width: int
    pixels: np.ndarray
    file: Path | None = None

    @property
    def channels(self) -> int:
        """Return 1 for grey, 3 for colours."""
        return len(self.pixels)

    def picture(self) -> np.ndarray:
        """Return the picture at its own size, uint8 (channels, height, width)."""
        if self.file is None:
            return self.pixels
        return load_picture(self.file, self.channels, name=self.name)


def asked_pictures(data: Dataset) -> list[Asked]:
    """Return the pictures of data, in the order of its rows.

    On a canvas a picture has its own size. One that was squeezed to the size of the model is read
    again where its file is known; without a file, the size of the model is its own.
    """
    names = [str(name) for name in data.row_names]
    files = {} if data.samples.sizes is not None else _files(data.source)
    made = []
    for row, (name, place) in enumerate(zip(names, safe_places(names), strict=True)):
        pixels = data.samples.inputs[row].numpy()
        if data.samples.sizes is not None:
            high, wide = data.samples.sizes[row].tolist()
            made.append(Asked(name, place, high, wide, pixels[:, :high, :wide]))
        elif files:
            file = _found(files, name)
            header = picture_header(file, name)
            made.append(Asked(name, place, header.height, header.width, pixels, file))
        else:
            made.append(Asked(name, place, pixels.shape[1], pixels.shape[2], pixels))
    return made


def _found(files: Mapping[str, Path], name: str) -> Path:
    if name not in files:
        raise DataError(f"{shown(name, 200)} is not there any more; give the same command again")
    return files[name]


def _files(source: str) -> dict[str, Path]:
    """Return the picture files of a location by the names that rows have."""
    path = location(source)
    if path.suffix.lower() in ENDINGS:
        return {plain_name(path.name): path}
    root = path if path.is_dir() else path.parent
    if not path.exists():
        return {}
    return {plain_name(str(place)): root / place for place in list_pictures(root).pictures}


def location(source: str) -> Path:
    """Return the path of data, without the kind that may stand before it."""
    kind, colon, rest = source.partition(":")
    return Path(rest if colon and kind in SOURCES.names() else source)


def safe_places(names: Sequence[str]) -> list[PurePosixPath]:
    """Return where to write each row's file: no two alike, none outside of its folder.

    >>> [str(place) for place in safe_places(["a/x.png", "../a/x.jpg", "/etc/b?.png", "A/X.bmp"])]
    ['a/x', 'a/x-2', 'etc/b_', 'A/X-3']
    """
    taken: set[str] = set()
    return [_free(_safe(name), taken) for name in names]


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    parts = [part for part in path.parent.parts if part not in ("/", "//", "..", ".")]
    return PurePosixPath(*map(_plain, parts), _plain(path.stem if path.suffix else path.name))


def _plain(part: str) -> str:
    """Return a name that every file system takes and no terminal obeys."""
    safe = "".join(c if c.isprintable() and c not in UNSAFE else "_" for c in part)
    return safe.encode()[:LONGEST].decode(errors="ignore").strip(". ") or "_"


def _free(place: PurePosixPath, taken: set[str]) -> PurePosixPath:
    number, free = 1, place
    while str(free).casefold() in taken:
        number += 1
        free = place.with_name(f"{place.name}-{number}")
    taken.add(str(free).casefold())
    return free
