"""A mask file becomes the levels in it and, for each pixel, which of them it has.

Three kinds: indexed (a palette; the index counts), grey (8 or 16 bits), colour. Transparency is
passed over. A colour file without colours is grey. JPEG blurs levels: only a mask of black and
white survives it, cut at the middle.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from gradatim.core.errors import DataError
from gradatim.data.naming import shown
from gradatim.data.pictures.conversion import opened_picture

__all__ = ["Kind", "Level", "Leveled", "load_mask", "nearest_size"]

Kind = Literal["index", "grey", "colour"]
Level = tuple[int, ...]
MOST_LEVELS = 255
_NEAR, _SURE = 32, 0.95  # of a JPEG's pixels so many lie so near to black or white


@dataclass(frozen=True)
class Leveled:
    """The content of one mask file.

    Args:
        kind: what a level is: an index with its colour (4 numbers), a grey level, a colour.
        levels: in ascending order.
        codes: uint8 (height, width): which level each pixel has.
        lossy: whether the levels were cut out of a JPEG.
    """

    kind: Kind
    levels: tuple[Level, ...]
    codes: np.ndarray
    lossy: bool = False


def load_mask(content: bytes, name: str) -> Leveled:
    """Return the levels of a mask file and where they are.

    Raises:
        DataError: it cannot be decoded, or holds more levels than there can be classes.
    """
    with opened_picture(content, name) as image:
        lossy = image.format in ("JPEG", "MPO")
        image.load()
        image = ImageOps.exif_transpose(image)
        if image.mode == "P":
            return _indexed(image)
        if image.mode == "F":
            raise DataError(f"{shown(name, 200)} holds floating-point numbers; save whole levels")
        pixels = _pixels(image)
    if lossy:
        return _cut(pixels, name)
    return _grey(pixels, name) if pixels.ndim == 2 else _coloured(pixels, name)


def nearest_size(codes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a mask of another size: each pixel takes the level at its middle, none is mixed.

    >>> nearest_size(np.array([[1, 7]], np.uint8), 2, 4).tolist()
    [[1, 1, 7, 7], [1, 1, 7, 7]]
    """
    rows, columns = (
        ((np.arange(wanted) + 0.5) * found / wanted).astype(np.int64)
        for wanted, found in zip((height, width), codes.shape, strict=True)
    )
    return codes[rows[:, None], columns]


def _pixels(image: Pillow.Image) -> np.ndarray:
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.int64)
    if image.mode in ("1", "L", "LA", "La"):
        return np.asarray(image.convert("L"))
    pixels = np.asarray(image.convert("RGB"))
    plain = (pixels == pixels[..., :1]).all()
    return pixels[..., 0] if plain else pixels


def _indexed(image: Pillow.Image) -> Leveled:
    pixels, palette = np.asarray(image), image.getpalette() or []
    found = np.flatnonzero(np.bincount(pixels.ravel(), minlength=256))
    colours = np.zeros((256, 3), np.int64)
    colours[: len(palette) // 3] = np.reshape(palette[: len(palette) // 3 * 3], (-1, 3))
    levels = tuple((int(index), *map(int, colours[index])) for index in found)
    return Leveled("index", levels, np.searchsorted(found, pixels).astype(np.uint8))


def _grey(pixels: np.ndarray, name: str) -> Leveled:
    found = np.unique(pixels) if pixels.dtype != np.uint8 else _bytes_in(pixels)
    _refuse_many(len(found), "grey levels", name)
    if found[0] < 0:
        raise DataError(f"{shown(name, 200)} holds {found[0]}; save levels from 0 on")
    levels = tuple((int(level),) for level in found)
    return Leveled("grey", levels, np.searchsorted(found, pixels).astype(np.uint8))


def _bytes_in(pixels: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.bincount(pixels.ravel(), minlength=256))


def _coloured(pixels: np.ndarray, name: str) -> Leveled:
    wide = pixels.astype(np.int64)
    packed = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
    there = np.zeros(1 << 24, bool)
    there[packed] = True
    found = np.flatnonzero(there)
    _refuse_many(len(found), "colours", name)
    levels = tuple((int(p >> 16), int(p >> 8 & 255), int(p & 255)) for p in found)
    return Leveled("colour", levels, np.searchsorted(found, packed).astype(np.uint8))


def _cut(pixels: np.ndarray, name: str) -> Leveled:
    grey = pixels if pixels.ndim == 2 else pixels.mean(2)
    sure = ((grey < _NEAR) | (grey > 255 - _NEAR)).mean()
    if sure < _SURE:
        trouble = f"{shown(name, 200)} is a JPEG, which blurs the levels of a mask"
        raise DataError(f"{trouble}; save masks as PNG")
    white = grey >= 128
    found = np.flatnonzero([(~white).any(), white.any()])
    levels = tuple((int(255 * level),) for level in found)
    return Leveled("grey", levels, np.searchsorted(found, white).astype(np.uint8), lossy=True)


def _refuse_many(count: int, what: str, name: str) -> None:
    if count > MOST_LEVELS:
        trouble = f"{shown(name, 200)} holds {count} {what}, as a photograph does"
        raise DataError(f"{trouble}; a mask holds one for each class")
