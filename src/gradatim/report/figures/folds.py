"""Every fold's score by rung; a line joins the same fold, since folds are compared in pairs."""

from itertools import zip_longest

from markupsafe import Markup

from gradatim.report.figures.scores import Ladder
from gradatim.report.svg import group, picture, polyline, tag
from gradatim.report.words import score

__all__ = ["fold_figure"]

MOST = 50  # folds drawn


def fold_figure(ladder: Ladder) -> Markup:
    """Return dots by fold, the mean of each rung as a bar."""
    by_fold = list(zip_longest(*(row.folds for row in ladder.rows)))[:MOST]
    parts = [ladder.axes(), *(_fold(ladder, k, values) for k, values in enumerate(by_fold))]
    parts += [_mean(ladder, place) for place in range(len(ladder.rows))]
    label = f"{ladder.metric} of every fold, by rung"
    return picture(label, ladder.width, ladder.height, *parts, class_="wide")


def _fold(ladder: Ladder, fold: int, values: tuple[float | None, ...]) -> Markup:
    scale, line, dots = ladder.frame.y, list[tuple[float, float]](), list[Markup]()
    for place, value in enumerate(values):
        if value is None or not scale.low <= value <= scale.high:
            continue
        x, y = ladder.slot(place), scale(value)
        line.append((x, y))
        title = tag("title", f"fold {fold + 1}: {score(value, ladder.metric)}")
        dots.append(tag("circle", title, cx=x, cy=y, r=3, class_="dot"))
    return group([polyline(line, "thread"), *dots])


def _mean(ladder: Ladder, place: int) -> Markup:
    row = ladder.rows[place]
    if row.score is None or ladder.hidden(row):
        return Markup()
    x, y = ladder.slot(place), ladder.frame.y(row.score)
    class_ = "mean chosen" if row.name == ladder.chosen else "mean"
    return tag("line", x1=x - 14, x2=x + 14, y1=y, y2=y, class_=class_)
