"""Boxes drawn on pictures, so that a person sees what was found, missed and imagined."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["ALARM", "HIT", "MISS", "TRUTH", "Line", "outlined"]

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """How an outline looks: shape and colour both tell it from the others."""

    colour: Colour
    dashed: bool = False
    crossed: bool = False


# Colours of Okabe & Ito 2008, which people with any colour vision tell apart.
TRUTH = Line((86, 180, 233))
HIT = Line((0, 158, 115))
MISS = Line((240, 228, 66), dashed=True)
ALARM = Line((213, 94, 0), crossed=True)

_DASHES = 4  # along a side, and as many gaps between them


def outlined(
    picture: UInt8[np.ndarray, "channels height width"],
    boxes: Sequence[tuple[Float[np.ndarray, " corners"], Line]],
) -> UInt8[np.ndarray, "3 height width"]:
    """Return a picture with boxes on it.

    Args:
        picture: grey or in colour.
        boxes: left, top, right, bottom as shares of width and height, and how to draw each;
            the last one lies on top.

    Source:
        Okabe & Ito 2008, "Color universal design", for the colours.

    >>> box = np.array([0.0, 0.0, 1.0, 1.0])
    >>> outlined(np.zeros((1, 8, 8), np.uint8), [(box, HIT)])[:, 0, 3].tolist()
    [0, 158, 115]
    """
    from PIL import Image, ImageDraw

    colours = np.broadcast_to(picture, (3, *picture.shape[1:])).transpose(1, 2, 0)
    canvas = Image.fromarray(np.ascontiguousarray(colours))
    pencil = ImageDraw.Draw(canvas)
    width = max(1, min(picture.shape[1:]) // 160)
    for box, line in boxes:
        for stroke in _strokes(box, line, canvas.size):
            if width > 1:  # a dark rim keeps bright lines visible on bright pictures
                pencil.line(stroke, fill=(0, 0, 0), width=width + 2)
            pencil.line(stroke, fill=line.colour, width=width)
    return np.asarray(canvas).transpose(2, 0, 1).copy()


def _strokes(box: np.ndarray, line: Line, size: tuple[int, int]) -> list[list[Point]]:
    """Return the straight strokes of an outline, in pixels."""
    wide, high = size[0] - 1, size[1] - 1
    left, top, right, bottom = np.rint(box * [wide, high, wide, high]).tolist()
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    sides = [[corners[k], corners[k + 1]] for k in range(4)]
    if line.dashed:
        sides = [dash for side in sides for dash in _dashes(*side)]
    return [*sides, [corners[0], corners[2]]] if line.crossed else sides


def _dashes(start: Point, end: Point) -> list[list[Point]]:
    def at(share: float) -> Point:
        x, y = (a + (b - a) * share for a, b in zip(start, end, strict=True))
        return x, y

    pieces = 2 * _DASHES - 1
    return [[at(k / pieces), at((k + 1) / pieces)] for k in range(0, pieces, 2)]
