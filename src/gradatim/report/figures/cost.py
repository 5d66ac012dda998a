"""Cost against score, with the Pareto front: rungs that no other beats in both."""

from collections.abc import Sequence
from math import sqrt

from markupsafe import Markup

from gradatim.report.figures.labels import Box, anchored, away, place_labels
from gradatim.report.figures.scores import score_range
from gradatim.report.rungs import RungRow
from gradatim.report.svg import Frame, Scale, group, picture, polyline, short, tag, write
from gradatim.report.words import duration, score

__all__ = ["cost_figure", "pareto"]

WIDTH, HEIGHT = 520, 380


def pareto(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """Return the places no other beats in both, from cheap to dear.

    >>> pareto([1.0, 2.0, 3.0, 2.5], [0.5, 0.9, 0.95, 0.7])
    [0, 1, 2]
    """
    order = sorted(range(len(costs)), key=lambda k: (costs[k], -gains[k]))
    front = list[int]()
    for k in order:
        if not front or gains[k] > gains[front[-1]]:
            front.append(k)
    return front


def cost_figure(
    rows: Sequence[RungRow], cost: str, title: str, metric: str, higher: bool, chosen: str
) -> Markup | None:
    """Return a scatter of rungs; None when fewer than two have this cost."""
    low, high = score_range(rows, higher)
    shown = [row for row in rows if _in(row.score, low, high) and (row.costs.get(cost) or 0) > 0]
    if len(shown) < 2:
        return None
    costs, scores = [row.costs[cost] or 1.0 for row in shown], [row.score or 0.0 for row in shown]
    frame = _frame(costs, low, high, higher)
    points = [(frame.x(x), frame.y(y)) for x, y in zip(costs, scores, strict=True)]
    front = pareto(costs, [value if higher else -value for value in scores])
    better = "higher" if higher else "lower"
    parts = [frame.rows(lambda v: f"{v:.10g}", f"{metric} ({better} is better)")]
    parts += [frame.columns(_time, f"{title} (cheaper is further left)")]
    parts += [polyline([points[k] for k in front], "front")]
    parts += [
        _mark(shown[k], points[k], k in front, cost, metric, chosen) for k in range(len(shown))
    ]
    parts += [_labels(shown, points, frame, chosen)]
    return picture(f"{title} against {metric}, one point a rung", WIDTH, HEIGHT, *parts)


def _time(seconds: float) -> str:
    """Write a round number of seconds."""
    if seconds >= 60:
        return duration(seconds)
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"


def _in(value: float | None, low: float, high: float) -> bool:
    return value is not None and low <= value <= high


def _frame(costs: Sequence[float], low: float, high: float, higher: bool) -> Frame:
    least, most = min(costs), max(costs)
    margin = max(1.25, sqrt(sqrt(sqrt(most / least))))
    start, stop = (HEIGHT - 52.0, 34.0) if higher else (34.0, HEIGHT - 52.0)
    return Frame(
        Scale(least / margin, most * margin, 56, WIDTH - 12, log=True),
        Scale(low, high, start, stop),
    )


def _mark(
    row: RungRow, point: tuple[float, float], best: bool, cost: str, metric: str, chosen: str
) -> Markup:
    class_ = "mark" if row.name == chosen else "front-mark" if best else "open-mark"
    title = f"{row.name}: {duration(row.costs[cost])}, {score(row.score, metric)}"
    radius = 6.5 if row.name == chosen else 5
    return tag("circle", tag("title", title), cx=point[0], cy=point[1], r=radius, class_=class_)


def _labels(
    rows: Sequence[RungRow], points: Sequence[tuple[float, float]], frame: Frame, chosen: str
) -> Markup:
    names = [short(row.name, 20) for row in rows]
    bounds: Box = (frame.x.start, 20, WIDTH - 2.0, HEIGHT - 52.0)
    parts = list[Markup]()
    for row, name, point, box in zip(
        rows, names, points, place_labels(points, names, bounds), strict=True
    ):
        if box is None:
            continue
        end = away(point, box)
        if end:
            parts.append(polyline([point, end], "leader"))
        class_ = "name chosen" if row.name == chosen else "name"
        x, anchor = anchored(point, box)
        parts.append(write(name, x, box[3] - 3.5, class_, text_anchor=anchor))
    return group(parts)
