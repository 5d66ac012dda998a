"""Where a translator looks: a column is a word of the source, a row a word of its translation."""

from collections.abc import Sequence

from markupsafe import Markup

from gradatim.report.svg import picture, short, tag, write

__all__ = ["alignment_figure"]

LEFT, CELL, SHOWN = 130, 30, 0.005


def alignment_figure(
    source: Sequence[str], target: Sequence[str], weights: Sequence[Sequence[float]]
) -> Markup:
    """Return the heat map; the depth of a cell is its weight, in percent where there is room.

    Args:
        source: words that are looked at.
        target: words that look.
        weights: one row a word of the target, each at least 0 with sum 1.
    """
    # Names stand at 45 degrees: four pixels and a half of height a letter.
    top = 40 + 4.5 * max(len(short(word)) for word in source)
    width, height = CELL * len(source), CELL * len(target)
    parts = [tag("rect", x=LEFT, y=top, width=width, height=height, class_="plate")]
    for j, (word, row) in enumerate(zip(target, weights, strict=True)):
        y = top + CELL * j
        parts.append(write(short(word), LEFT - 8, y + CELL / 2 + 3.5, text_anchor="end"))
        for i, weight in enumerate(row):
            if weight >= SHOWN:
                parts.append(_cell(word, source[i], weight, LEFT + CELL * i, y))
    for i, word in enumerate(source):
        x, y = LEFT + CELL * i + CELL / 2 + 3, top - 8
        parts.append(write(short(word), x, y, transform=f"rotate(-45 {x:.1f} {y:.1f})"))
    parts.append(write("written ↓", 4, top - 10, "axis"))
    parts.append(write("read →", LEFT, 14, "axis"))
    label = f"how much each of {len(target)} words looks at each of {len(source)}"
    return picture(label, LEFT + width + 90, top + height + 8, *parts)


def _cell(word: str, seen: str, weight: float, x: float, y: float) -> Markup:
    title = tag("title", f"{word} looks at {seen}: {weight:.1%}")
    depth = f"{min(1.0, weight):.2f}"
    square = tag(
        "rect",
        title,
        x=x,
        y=y,
        width=CELL - 1,
        height=CELL - 1,
        class_="heat",
        fill_opacity=depth,
    )
    inside = "count on" if weight > 0.55 else "count"
    middle = (x + CELL / 2, y + CELL / 2 + 3.5)
    return square + write(f"{100 * weight:.0f}", *middle, inside, text_anchor="middle")
