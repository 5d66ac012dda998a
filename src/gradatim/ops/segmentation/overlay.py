"""Masks as people look at them: classes as tints over the picture, with their borders."""

import numpy as np
from jaxtyping import Bool, UInt8

from gradatim.core.signature import IGNORED

__all__ = ["ERROR", "PALETTE", "borders", "overlay"]

PALETTE = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (240, 228, 66),
    (0, 114, 178),
)
"""Colours of the classes after the first, which keeps the picture's own; then they repeat. They
are Okabe & Ito's, told apart by people who see few colours."""
ERROR = (213, 30, 0)
TINT, ERROR_TINT = 0.3, 0.75


def overlay(
    picture: UInt8[np.ndarray, "channels height width"],
    mask: UInt8[np.ndarray, "height width"],
    truth: UInt8[np.ndarray, "height width"] | None = None,
) -> UInt8[np.ndarray, "3 height width"]:
    """Return the picture, tinted by class, with a line along the borders and errors in red.

    Args:
        picture: grey or coloured.
        mask: what is to be seen; ignored pixels are darkened.
        truth: what should have been said; pixels where it differs are errors, unless it is 255
            there.

    Source: palette: Okabe & Ito 2008, "Color universal design".

    >>> drawn = overlay(np.zeros((1, 1, 2), np.uint8), np.array([[0, 1]], np.uint8))
    >>> drawn[:, 0].T.tolist()
    [[0, 0, 0], [86, 180, 233]]
    """
    canvas = np.repeat(picture, 3 // len(picture), axis=0).astype(np.float64)
    lines = borders(mask)
    for number in np.unique(mask[(mask != 0) & (mask != IGNORED)]):
        colour = PALETTE[(number - 1) % len(PALETTE)]
        _paint(canvas, mask == number, colour, TINT)
        _paint(canvas, lines & (mask == number), colour, 1.0)
    unknown = mask == IGNORED
    if truth is not None:
        _paint(canvas, (mask != truth) & (truth != IGNORED), ERROR, ERROR_TINT)
        unknown |= truth == IGNORED
    _paint(canvas, unknown, (0, 0, 0), 0.5)
    return canvas.round().astype(np.uint8)


def borders(mask: UInt8[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Return the pixels with another class above, below, left or right of them.

    >>> borders(np.array([[0, 0, 1, 1]], np.uint8)).tolist()
    [[False, True, True, False]]
    """
    found = np.zeros(mask.shape, bool)
    down, across = mask[1:] != mask[:-1], mask[:, 1:] != mask[:, :-1]
    found[1:] |= down
    found[:-1] |= down
    found[:, 1:] |= across
    found[:, :-1] |= across
    return found


def _paint(
    canvas: np.ndarray, where: np.ndarray, colour: tuple[int, int, int], share: float
) -> None:
    """Mix a colour into some pixels, in place."""
    mixed = (1 - share) * canvas[:, where] + share * np.array(colour, np.float64)[:, None]
    canvas[:, where] = mixed
