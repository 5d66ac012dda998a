"""Four points and the regions in which a learner says yes, panel beside panel."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup

from gradatim.report.svg import Scale, group, picture, tag, write

__all__ = ["regions_figure"]

SIDE, GAP, TOP = 210.0, 24.0, 44.0
RADIUS = 8


def regions_figure(
    points: Sequence[Sequence[float]], panels: Sequence[Mapping[str, Any]], low: float, high: float
) -> Markup:
    """Return one square a panel.

    Args:
        points: (x, y).
        panels: `problem`, `learner`, `targets` (0 or 1 a point), `wrong` and `regions`, the answers
            on a grid of the square, by rows from the bottom.
        low: where both axes begin.
        high: where they end.
    """
    width = len(panels) * (SIDE + GAP) - GAP
    drawn = [_panel(k * (SIDE + GAP), points, p, low, high) for k, p in enumerate(panels)]
    label = "; ".join(f"{p['problem']} by {p['learner']}: {p['wrong']} wrong" for p in panels)
    return picture(label, width, TOP + SIDE + 28, *drawn, class_="wide")


def _panel(
    left: float,
    points: Sequence[Sequence[float]],
    panel: Mapping[str, Any],
    low: float,
    high: float,
) -> Markup:
    x, y = Scale(low, high, left, left + SIDE), Scale(low, high, TOP + SIDE, TOP)
    wrong = panel["wrong"]
    verdict = "all right" if not wrong else f"{wrong} of {len(points)} wrong"
    parts = [
        write(f"{panel['problem']}, {panel['learner']}", left, 16, "name"),
        write(verdict, left, 33, "tick" if not wrong else "name chosen"),
        tag("rect", x=left, y=TOP, width=SIDE, height=SIDE, class_="plate"),
        _yes(left, panel["regions"]),
    ]
    for (a, b), target in zip(points, panel["targets"], strict=True):
        title = tag("title", f"({a:g}, {b:g}) should be {target}")
        class_ = "solid-mark" if target else "open-mark"
        parts.append(tag("circle", title, cx=x(a), cy=y(b), r=RADIUS, class_=class_))
    for value in (0, 1):
        parts.append(write(f"{value}", x(value), TOP + SIDE + 16, text_anchor="middle"))
        parts.append(write(f"{value}", left + 5, y(value) + 4))
    return group(parts)


def _yes(left: float, regions: Sequence[Sequence[int]]) -> Markup:
    """Return the squares where the answer is 1, joined along each row."""
    cell, bars = SIDE / len(regions), list[Markup]()
    for row, answers in enumerate(regions):
        place = 0
        for answer, run in groupby(answers):
            length = len(list(run))
            if answer:
                top = TOP + SIDE - (row + 1) * cell
                size = {"x": left + place * cell, "y": top, "width": length * cell}
                # A little taller than its row, so that no seams show.
                bars.append(tag("rect", **size, height=min(cell + 0.4, TOP + SIDE - top)))
            place += length
    return group(bars, class_="heat", opacity="0.28")
