"""How the rows of every rung spread: a histogram or a swarm of dots each, on one axis."""

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from gradatim.report.svg import Frame, Scale, group, picture, short, tag, write
from gradatim.report.words import plain

__all__ = ["spread_figure", "spread_range"]

WIDTH, LEFT, RIGHT, TOP = 760, 150, 24, 8
BAND, BODY = 46, 36  # pixels of a rung, and of what is drawn in them
BINS = 60
ZOOM = 4  # how often the distance from the best to the middle rung fits on the axis
DOT = 4.0  # pixels from one dot to the next
MOST = 600  # dots of a rung; of more rows, these at equal shares of the ranking


def spread_range(values: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Return what the axis spans: nearly all rows of the rungs that are not far behind.

    Args:
        values: rung -> finite values, higher is better.
    """
    middle = {name: float(np.median(these)) for name, these in values.items()}
    best, usual = max(middle.values()), float(np.median(list(middle.values())))
    floor = best - ZOOM * (best - usual) if best > usual else best
    near = [these for name, these in values.items() if middle[name] >= floor]
    low = min(float(np.quantile(these, 0.01)) for these in near)
    high = max(float(np.quantile(these, 0.99)) for these in near)
    margin = 0.03 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def spread_figure(
    values: Mapping[str, np.ndarray], title: str, chosen: str, *, dots: bool = False
) -> Markup:
    """Return one band a rung, from simple to deep; the bar is the mean.

    Args:
        values: rung -> finite values, one a row, higher is better; what lies beyond the axis is
            drawn at its end.
        title: of the axis.
        chosen: the rung that stands out.
        dots: draw rows one by one instead of counting them.
    """
    low, high = spread_range(values)
    bottom = TOP + BAND * len(values)
    across = Scale(low, high, LEFT, WIDTH - RIGHT)
    frame = Frame(across, Scale(0, 1, float(bottom), float(TOP)))
    parts = [frame.columns(_tick, title, 7)]
    for place, (name, these) in enumerate(values.items()):
        foot = TOP + BAND * (place + 1) - 6.0
        inside = np.clip(these, low, high)
        body = _dots(inside, across, foot) if dots else _steps(inside, across, foot)
        parts.append(group([body], class_="chosen-band" if name == chosen else "plain-band"))
        parts.append(_mean(float(these.mean()), across, foot, name == chosen))
        parts.append(_name(name, foot, name == chosen))
    return picture(f"{title} of every row, by rung", WIDTH, bottom + 44, *parts, class_="wide")


def _name(name: str, foot: float, chosen: bool) -> Markup:
    class_ = "name chosen" if chosen else "name"
    return write(short(name, 20), LEFT - 12, foot - 8, class_, text_anchor="end")


def _mean(mean: float, across: Scale, foot: float, chosen: bool) -> Markup:
    x, title = across(mean), tag("title", f"mean {plain(mean)}")
    class_ = "mean chosen" if chosen else "mean"
    return tag("line", title, x1=x, x2=x, y1=foot - BODY, y2=foot, class_=class_)


def _steps(values: np.ndarray, across: Scale, foot: float) -> Markup:
    """Return a histogram as one outline, as high as its fullest bin allows."""
    counts, edges = np.histogram(values, BINS, (across.low, across.high))
    heights = counts / max(1, counts.max()) * BODY
    points = [f"M{across(edges[0]):.1f} {foot:.1f}"]
    for height, left, right in zip(heights, edges[:-1], edges[1:], strict=True):
        points.append(f"L{across(left):.1f} {foot - height:.1f}H{across(right):.1f}")
    points.append(f"L{across(edges[-1]):.1f} {foot:.1f}Z")
    return tag("path", d="".join(points), class_="bins")


def _dots(values: np.ndarray, across: Scale, foot: float) -> Markup:
    """Return dots that are heaped where rows are equal or near, closer where heaps are high."""
    places = _places(np.sort(values), across)
    _, first, sizes = np.unique(places, return_index=True, return_counts=True)
    step = min(DOT, (BODY - DOT) / max(1, int(sizes.max()) - 1))
    heights = step * (np.arange(len(places)) - np.repeat(first, sizes))
    marks = (f"M{x:.0f} {foot - 2 - h:.1f}h0" for x, h in zip(places, heights, strict=True))
    return tag("path", d="".join(marks), class_="swarm")


def _places(ordered: np.ndarray, across: Scale) -> np.ndarray:
    if len(ordered) > MOST:
        ordered = ordered[np.linspace(0, len(ordered) - 1, MOST).round().astype(int)]
    pixels = np.array([across(float(value)) for value in ordered])
    snapped: np.ndarray = (pixels / DOT).round() * DOT
    return snapped


def _tick(value: float) -> str:
    return f"{value:,.10g}" if 1e-4 <= abs(value) < 1e6 or value == 0 else plain(value, 2)
