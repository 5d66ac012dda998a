"""Placing labels beside points so that none lies on another, on a point or outside the figure."""

from collections.abc import Sequence
from math import cos, hypot, pi, sin

__all__ = ["Box", "anchored", "away", "place_labels"]

Box = tuple[float, float, float, float]  # left, top, right, bottom
HEIGHT, LETTER = 14.0, 7.3  # pixels of a label's line, and of a letter at 12 pixels


def place_labels(
    points: Sequence[tuple[float, float]], names: Sequence[str], bounds: Box
) -> list[Box | None]:
    """Return a free box for each label, the nearest to its point; None where there is none.

    Args:
        points: centres of the marks, in pixels.
        names: what to write, one a point.
        bounds: where labels may lie.
    """
    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    boxes: list[Box | None] = []
    for (x, y), name in zip(points, names, strict=True):
        free = (box for box in _candidates(x, y, len(name) * LETTER) if _fits(box, taken, bounds))
        box = next(free, None)
        boxes.append(box)
        if box:
            taken.append(box)
    return boxes


def _candidates(x: float, y: float, width: float) -> list[Box]:
    """Return boxes around a point: beside it first, then above and below, then further out."""
    found = []
    for ring in range(12):
        reach = 9 + 11 * ring
        for turn in (0, 4, 2, 6, 1, 7, 3, 5):
            across, up = cos(turn * pi / 4), -sin(turn * pi / 4)
            centre = x + across * (reach + width / 2), y + up * (reach + HEIGHT / 2)
            left, top = centre[0] - width / 2, centre[1] - HEIGHT / 2
            found.append((left, top, left + width, top + HEIGHT))
    return found


def _fits(box: Box, taken: Sequence[Box], bounds: Box) -> bool:
    left, top, right, bottom = box
    inside = bounds[0] <= left and bounds[1] <= top and right <= bounds[2] and bottom <= bounds[3]
    return inside and not any(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for other in taken
    )


def away(point: tuple[float, float], box: Box) -> tuple[float, float] | None:
    """Return where a leader line meets the label, when the label is not right beside its point."""
    x = min(max(point[0], box[0]), box[2])
    y = min(max(point[1], box[1]), box[3])
    return (x, y) if hypot(x - point[0], y - point[1]) > 16 else None


def anchored(point: tuple[float, float], box: Box) -> tuple[float, str]:
    """Return where the text starts, and from which of its ends it is set: the one at the point."""
    if box[0] > point[0]:
        return box[0], "start"
    return (box[2], "end") if box[2] < point[0] else ((box[0] + box[2]) / 2, "middle")
