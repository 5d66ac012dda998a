"""The confusion matrix as a heat map: a row is a true class, a column what was said."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from gradatim.report.svg import picture, short, tag, write

__all__ = ["confusion_figure"]

LEFT, TOP = 110, 96


def confusion_figure(table: np.ndarray, names: Sequence[str]) -> Markup:
    """Return the heat map; the depth of a cell is its share of the true class."""
    classes = len(names)
    cell = max(15, min(34, 400 // classes))
    side = classes * cell
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.nan_to_num(table / table.sum(axis=1, keepdims=True))
    parts = [tag("rect", x=LEFT, y=TOP, width=side, height=side, class_="plate")]
    parts += [_cell(table, shares, names, j, k, cell) for j, k in np.argwhere(table > 0).tolist()]
    for k, name in enumerate(names):
        parts += _names(short(name, 15), k, cell)
    parts.append(write("said →", LEFT, 12, "axis"))
    parts.append(write("true ↓", 4, TOP - 8, "axis"))
    return picture(
        f"confusion matrix of {classes} classes", LEFT + side + 40, TOP + side + 6, *parts
    )


def _cell(
    table: np.ndarray, shares: np.ndarray, names: Sequence[str], j: int, k: int, cell: int
) -> Markup:
    share, number = float(shares[j, k]), int(table[j, k])
    x, y = LEFT + k * cell, TOP + j * cell
    title = tag("title", f"{names[j]} taken for {names[k]}: {number:,}")
    # The root makes rare mistakes visible beside a full diagonal.
    depth = f"{0.08 + 0.92 * share**0.6:.2f}"
    class_ = "heat" if j == k else "heat off"
    square = tag(
        "rect", title, x=x, y=y, width=cell - 1, height=cell - 1, class_=class_, fill_opacity=depth
    )
    if cell < 24 or number > 99_999:
        return square
    inside = "count on" if share**0.6 > 0.5 else "count"
    return square + write(
        f"{number}", x + cell / 2, y + cell / 2 + 3.5, inside, text_anchor="middle"
    )


def _names(name: str, place: int, cell: int) -> list[Markup]:
    middle = place * cell + cell / 2
    turn = f"rotate(-45 {LEFT + middle + 3:.1f} {TOP - 6})"
    return [
        write(name, LEFT - 6, TOP + middle + 3.5, text_anchor="end"),
        write(name, LEFT + middle + 3, TOP - 6, transform=turn),
    ]
