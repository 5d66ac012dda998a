"""Runs of pixels and polygons, as COCO outlines objects, become masks.

Runs go down the columns, first those of pixels outside; a string packs them as numbers of 5 bits a
character, and from the fourth on as differences to the one before the last.

Source: cocodataset.org, "Data format"; the packing is that of COCO's maskApi (rleToString).
Deviations: a pixel is inside of a polygon when its middle is, after the even-odd rule (maskApi
draws the border on a grid five times as fine and rounds).
"""

from typing import Any

import numpy as np

from gradatim.data.naming import shown

__all__ = ["mask_of", "packed_runs", "polygon_mask", "runs_mask", "unpacked_runs"]


def mask_of(outline: Any, height: int, width: int) -> np.ndarray:
    """Return the pixels of an object as bool (height, width).

    Args:
        outline: a list of polygons [x1, y1, x2, y2, ...] in pixels, whose union counts; or runs,
            {"size": [height, width], "counts": a list of lengths or a string}.
        height: of the picture.
        width: of the picture.

    Raises:
        ValueError: what is wrong, as half a sentence.
    """
    if isinstance(outline, dict):
        if outline.get("size") != [height, width]:
            raise ValueError(f"its runs are for a size of {shown(outline.get('size'))}")
        counts = outline.get("counts")
        counts = unpacked_runs(counts) if isinstance(counts, str) else counts
        return runs_mask(counts, height, width)
    if not isinstance(outline, list) or not outline:
        raise ValueError("it has no outline")
    inside = np.zeros((height, width), bool)
    for polygon in outline:
        try:
            points = np.asarray(polygon, np.float64).reshape(-1, 2)
        except (TypeError, ValueError):
            raise ValueError("a polygon is no list of pairs of numbers") from None
        if len(points) < 3 or not np.isfinite(points).all():
            raise ValueError("a polygon has fewer than 3 points, or one that is not finite")
        inside |= polygon_mask(points, height, width)
    return inside


def polygon_mask(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the pixels whose middle lies in a polygon, as bool (height, width).

    A ray from the left border to a pixel's middle crosses the outline an odd number of times.

    Args:
        points: (points, 2), x and y in pixels; 0 and the width are borders of the picture.
        height: of the picture.
        width: of the picture.

    >>> polygon_mask(np.array([[1, 0], [3, 0], [3, 1], [1, 1]]), 2, 4).astype(int).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    inside = np.zeros((height, width), bool)
    ends = np.array([width, height])
    left, top = np.clip(np.floor(points.min(0)), 0, ends).astype(np.int64)
    right, bottom = np.clip(np.ceil(points.max(0)), 0, ends).astype(np.int64)
    if left < right and top < bottom:
        around = _filled(points - [left, top], bottom - top, right - left)
        inside[top:bottom, left:right] = around
    return inside


def _filled(points: np.ndarray, height: int, width: int) -> np.ndarray:
    toggles = np.zeros((height, width + 1), np.int32)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, 0), strict=True):
        low, high = min(y0, y1), max(y0, y1)
        # Half open, so that a corner on a row of middles counts for one of its two edges.
        rows = np.arange(*np.clip(np.ceil([low - 0.5, high - 0.5]), 0, height).astype(np.int64))
        if len(rows):
            crossing = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            first = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
            np.add.at(toggles, (rows, first), 1)
    return toggles.cumsum(1)[:, :-1] % 2 == 1


def runs_mask(counts: Any, height: int, width: int) -> np.ndarray:
    """Return the mask of runs of pixels outside, inside, outside, ... down the columns.

    Raises:
        ValueError: no whole numbers from 0 on, or not as many pixels as the picture has.

    >>> runs_mask([1, 2, 1], 2, 2).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    runs: np.ndarray = np.asarray(counts) if isinstance(counts, (list, np.ndarray)) else np.empty(0)
    if runs.ndim != 1 or runs.dtype.kind not in "iu" or (runs < 0).any():
        raise ValueError("its runs are no list of whole numbers")
    if sum(runs.tolist()) != height * width:
        raise ValueError(f"its runs cover {sum(runs.tolist())} of {height * width} pixels")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs.astype(np.int64)).reshape(width, height).T


def unpacked_runs(text: str) -> list[int]:
    """Return the runs that a string packs.

    Raises:
        ValueError: it holds other characters, or ends inside a number.

    >>> unpacked_runs("23N")
    [2, 3, -2]
    """
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError(f"its runs hold the character {character!r}")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("its runs end inside a number")
    return runs


def packed_runs(inside: np.ndarray) -> str:
    """Return a mask, bool (height, width), as a string of runs.

    >>> packed_runs(np.array([[False, True], [True, False]]))
    '121'
    """
    flat = np.concatenate([[False], inside.T.reshape(-1)])
    edges = np.flatnonzero(np.diff(flat))
    runs = np.diff(np.concatenate([[0], edges, [inside.size]])).tolist()
    return "".join(_packed(n - (runs[i - 2] if i > 2 else 0)) for i, n in enumerate(runs))


def _packed(value: int) -> str:
    characters = ""
    while True:
        bits, value = value & 31, value >> 5
        more = value != (-1 if bits & 16 else 0)
        characters += chr(48 + bits + 32 * more)
        if not more:
            return characters
