"""The climb: every rung's mean score with its interval, and the band that counts as equal."""

from markupsafe import Markup

from gradatim.report.figures.scores import Ladder
from gradatim.report.rungs import RungRow
from gradatim.report.svg import group, picture, polyline, tag, write
from gradatim.report.words import score

__all__ = ["climb_figure"]


def climb_figure(ladder: Ladder, rope: float | None) -> Markup:
    """Return scores in ladder order, with the band of practical equality below the best."""
    frame = ladder.frame
    shown = [place for place, row in enumerate(ladder.rows) if not ladder.hidden(row)]
    line = [(ladder.slot(p), frame.y(ladder.rows[p].score or 0.0)) for p in shown]
    parts = [_band(ladder, rope), ladder.axes(), polyline(line, "steps")]
    parts += [_mark(ladder, place) for place in shown]
    label = f"{ladder.metric} of {len(ladder.rows)} rungs in ladder order; chosen: {ladder.chosen}"
    return picture(label, ladder.width, ladder.height, *parts, class_="wide")


def _band(ladder: Ladder, rope: float | None) -> Markup:
    scores = [row.score for row in ladder.rows if row.score is not None]
    if not rope or not scores:
        return Markup()
    frame = ladder.frame
    best = max(scores) if ladder.higher else min(scores)
    edge = best - rope if ladder.higher else best + rope
    top, bottom = sorted((frame.y(best), frame.y(edge)))
    left, width = frame.x.start, frame.x.stop - frame.x.start
    title = tag("title", "practically equal to the best score")
    return tag(
        "rect", title, x=left, y=top, width=width, height=max(1.0, bottom - top), class_="band"
    )


def _mark(ladder: Ladder, place: int) -> Markup:
    row, x, scale = ladder.rows[place], ladder.slot(place), ladder.frame.y
    y, chosen = scale(row.score or 0.0), row.name == ladder.chosen
    ends = [scale(value) for value in (row.low, row.high) if value is not None]
    class_ = "mark" if chosen else "open-mark"
    parts = [tag("line", x1=x, x2=x, y1=max(ends), y2=min(ends), class_="whisker")] if ends else []
    parts.append(
        tag("circle", _title(row, ladder.metric), cx=x, cy=y, r=6 if chosen else 4.5, class_=class_)
    )
    name = "value chosen" if chosen else "value"
    parts.append(write(score(row.score, ladder.metric), x + 10, y + 4, name))
    return group(parts)


def _title(row: RungRow, metric: str) -> Markup:
    numbers = [score(value, metric) for value in (row.score, row.low, row.high)]
    return tag("title", f"{row.name}: {numbers[0]}, interval {numbers[1]} to {numbers[2]}")
