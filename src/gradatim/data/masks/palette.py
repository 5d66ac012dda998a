"""Colours of classes: Pascal VOC's palette, where neighbours in number look unlike.

Bits of the class number are dealt to red, green and blue in turn, from the highest bit of a colour
down; class 0 is black.

Source: Everingham et al. 2010, the VOC development kit (VOClabelcolormap).
"""

import numpy as np

__all__ = ["BORDER", "voc_palette"]

BORDER = (224, 224, 192)
"""The colour of pixels that are ignored, that of number 255."""


def voc_palette() -> np.ndarray:
    """Return 256 colours as uint8 (256, 3).

    >>> voc_palette()[[0, 1, 2, 255]].tolist()
    [[0, 0, 0], [128, 0, 0], [0, 128, 0], [224, 224, 192]]
    """
    number = np.arange(256)[:, None]
    channel = np.arange(3)
    colour = np.zeros((256, 3), np.int64)
    for turn in range(8):
        colour |= ((number >> (3 * turn + channel)) & 1) << (7 - turn)
    return colour.astype(np.uint8)
