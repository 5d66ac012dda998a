"""Masks to files."""

import io

import numpy as np
from PIL import Image as Pillow

from gradatim.core.signature import IGNORED
from gradatim.data.masks.palette import BORDER, voc_palette

__all__ = ["mask_png"]

Levels = tuple[tuple[int, ...], ...]


def mask_png(mask: np.ndarray, levels: Levels = ()) -> bytes:
    """Return a mask as a PNG in the way of the data it was learnt from.

    Ignored pixels become 255 in indexed and grey masks, and (224, 224, 192) in colour maps.

    Args:
        mask: uint8 (height, width): class numbers, 255 is ignored.
        levels: of each class: a grey level, a colour, or an index with its colour; without any,
            class numbers with VOC's palette.
    """
    if not levels:
        colours = voc_palette()
        levels = tuple((code, *colours[code].tolist()) for code in range(IGNORED))
    if len(levels[0]) == 3:
        colours = np.concatenate([levels, np.repeat([BORDER], 256 - len(levels), 0)])
        return _png(Pillow.fromarray(colours.astype(np.uint8)[mask]))
    first = [level[0] for level in levels]
    kind = np.uint8 if max(first) < 256 else np.uint16
    table = np.array([*first, *[IGNORED] * (256 - len(first))], kind)
    image = Pillow.fromarray(table[mask])
    if len(levels[0]) == 4:
        _colour(image, levels)
    return _png(image)


def _colour(image: Pillow.Image, levels: Levels) -> None:
    """Make an image of indices an indexed one."""
    palette = voc_palette()
    for index, *colour in levels:
        palette[index] = colour
    image.putpalette(palette.reshape(-1).tolist())


def _png(image: Pillow.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
