"""One defined conversion from a stranger's picture to stored planes; training and serving share it.

In this order: the first frame; turned as EXIF says; palette to colours; transparency over white;
CMYK and other colour spaces to RGB; 16 bits to 8 by dividing by 257; grey by ITU-R 601 luma;
resized by a plain bilinear filter (antialiased where it shrinks). A signature says whether that
squeezes the whole picture in, or keeps the aspect ratio and crops the middle.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from gradatim.core.errors import DataError
from gradatim.core.signature import Image
from gradatim.data.naming import shown

__all__ = ["FORMATS", "Header", "as_signature", "load_picture", "opened_picture", "picture_header"]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MOST_PIXELS = 64_000_000
CROP = 224 / 256  # of the shorter side is kept
Fit = Literal["squeeze", "crop", "pad"]

# MOST_PIXELS is stricter than what Pillow warns of, and what it says of odd metadata is of no use
# to anybody here: a picture decodes or is set apart.
warnings.filterwarnings("ignore", category=Pillow.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"}
_ORIENTATION = 0x0112
# What Pillow's decoders raise on bytes that are not what their header says.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    NotImplementedError,
    Pillow.DecompressionBombError,
)


@dataclass(frozen=True)
class Header:
    """What a picture says of itself, as it will be shown."""

    height: int
    width: int
    grey: bool
    format: str


def picture_header(source: Path | bytes, name: str = "") -> Header:
    """Return size and colour without decoding.

    Raises:
        DataError: no picture, not of an allowed format, or above 64 million pixels.
    """
    with opened_picture(source, name or _name(source)) as image:
        width, height = image.size
        if image.getexif().get(_ORIENTATION) in (5, 6, 7, 8):
            width, height = height, width
        return Header(height, width, image.mode in _GREY_MODES, image.format or "")


def load_picture(
    source: Path | bytes,
    channels: int,
    size: tuple[int, int] | None = None,
    name: str = "",
    fit: Fit = "squeeze",
) -> np.ndarray:
    """Return a picture as uint8 of shape (channels, height, width).

    Args:
        source: a file or its bytes.
        channels: 1 for grey, 3 for RGB.
        size: height and width wanted; None keeps the picture's own.
        name: for messages; the path without it.
        fit: squeeze the whole picture in (pad: without a size), or crop the middle of it.

    Raises:
        DataError: it cannot be decoded, or is above 64 million pixels.
    """
    name = name or _name(source)
    with opened_picture(source, name) as image:
        return _planes(_flat(ImageOps.exif_transpose(image), name), channels, size, fit)


@contextmanager
def opened_picture(source: Path | bytes, name: str) -> Iterator[Pillow.Image]:
    """Give what Pillow opens; whatever its decoders die of becomes a complaint with the name.

    Raises:
        DataError: no picture, broken, not of an allowed format, or above 64 million pixels.
    """
    try:
        with _opened(source, name) as image:
            yield image
    except _BROKEN as error:
        raise _complaint(error, name) from error


def as_signature(planes: np.ndarray, wanted: Image) -> np.ndarray:
    """Return (rows, channels, height, width) in the size and colours of a signature."""
    if planes.shape[1:] == (wanted.channels, wanted.height, wanted.width):
        return planes
    made = np.empty((len(planes), wanted.channels, wanted.height, wanted.width), np.uint8)
    for row, picture in enumerate(planes):
        pixels = picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)
        image = Pillow.fromarray(np.ascontiguousarray(pixels))
        made[row] = _planes(image, wanted.channels, (wanted.height, wanted.width), wanted.fit)
    return made


def _name(source: Path | bytes) -> str:
    return "picture" if isinstance(source, bytes) else str(source)


def _opened(source: Path | bytes, name: str) -> Pillow.Image:
    if isinstance(source, bytes) and not source:
        raise DataError(f"{shown(name, 200)} is empty; copy the picture again")
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    image = Pillow.open(file, formats=FORMATS)
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise _too_large(name)
    return image


def _too_large(name: str) -> DataError:
    return DataError(f"{shown(name, 200)} has above 64 million pixels; make it smaller")


def _complaint(error: Exception, name: str) -> DataError:
    if isinstance(error, DataError):
        return error
    if isinstance(error, Pillow.DecompressionBombError):
        return _too_large(name)
    known = ", ".join(FORMATS)
    if isinstance(error, UnidentifiedImageError):
        return DataError(f"{shown(name, 200)} is no picture; allowed formats: {known}")
    reason = (str(error) or type(error).__name__).splitlines()[0][:120]
    return DataError(f"{shown(name, 200)} is broken: {shown(reason, 120)}; copy the picture again")


def _flat(image: Pillow.Image, name: str) -> Pillow.Image:
    """Return the picture as mode L or RGB."""
    image.load()
    if image.mode.startswith("I"):
        return _eight_bits(image, name)
    if image.mode == "F":
        raise _without_white(name, "floating-point numbers")
    if image.mode == "P" or "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        image = image.convert("LA" if image.mode in ("1", "L", "La") else "RGBA")
    if image.mode in ("LA", "RGBA"):
        white = Pillow.new(image.mode, image.size, "white")
        image = Pillow.alpha_composite(white.convert("RGBA"), image.convert("RGBA"))
        return image.convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _without_white(name: str, what: str) -> DataError:
    return DataError(f"{shown(name, 200)} holds {what}: its white is not known; save 8 or 16 bits")


def _eight_bits(image: Pillow.Image, name: str) -> Pillow.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise _without_white(name, "more than 16 bits")
    return Pillow.fromarray(((values + 128) // 257).astype(np.uint8))


def _planes(
    image: Pillow.Image, channels: int, size: tuple[int, int] | None, fit: Fit
) -> np.ndarray:
    image = image.convert("L" if channels == 1 else "RGB")
    if size is not None and (image.height, image.width) != size:
        image = _cropped(image, *size) if fit == "crop" else _resized(image, *size)
    pixels = np.asarray(image, np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _resized(image: Pillow.Image, height: int, width: int) -> Pillow.Image:
    return image.resize((width, height), Pillow.Resampling.BILINEAR)


def _cropped(image: Pillow.Image, height: int, width: int) -> Pillow.Image:
    """Return the middle of the picture: for 224 x 224 its shorter side is resized to 256 first.

    Source: the evaluation of ImageNet networks, as in torchvision's presets (resize 256, crop 224).
    """
    times = max(height / image.height, width / image.width) / CROP
    image = _resized(image, *(max(1, int(times * n + 1e-6)) for n in (image.height, image.width)))
    top, left = round((image.height - height) / 2), round((image.width - width) / 2)
    return image.crop((left, top, left + width, top + height))
