"""Losses against what they cost, one colour a variant: validation strong, training faint."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from gradatim.report.figures.curves import Curve
from gradatim.report.svg import Frame, Scale, group, picture, short, tag, write
from gradatim.report.words import plain

__all__ = ["tracks_figure"]

WIDTH, HEIGHT = 860, 380
TOP, FOOT, LEFT = 34.0, 48.0, 66.0
LETTER, LINE = 6.6, 20  # pixels
LONGEST = 30  # letters of a name
HUES = 10  # colours of the page's style; further lines are dashed
BELOW = 4  # times lower than the lowest strong point, a faint line ends
STEEP = 6  # from this ratio on, an axis is logarithmic


def tracks_figure(
    strong: Mapping[str, Curve],
    faint: Mapping[str, Curve],
    x: str,
    y: str,
    *,
    level: float | None = None,
    marks: Mapping[str, tuple[float, float]] | None = None,
    names: Sequence[str] = (),
) -> Markup:
    """Return lines with a legend beside them.

    Args:
        strong: (x, y) points by name.
        faint: more points of the same names, drawn thin.
        x: title of the axis.
        y: title of the axis.
        level: of y, drawn across.
        marks: a point on some of the lines.
        names: all that have a colour, in order, so that it is theirs in every figure; those of
            `strong` by default.
    """
    hues = {name: k for k, name in enumerate(names or strong)}
    room = 48 + LETTER * max(len(short(name, LONGEST)) for name in hues)
    # Training losses may fall by orders more: what is below is cut off, not squeezed in.
    floor = min(y for line in strong.values() for _, y in line) / BELOW
    faint = {name: [(a, b) for a, b in line if b >= floor] for name, line in faint.items()}
    shown = [line for line in (*strong.values(), *faint.values()) if line]
    frame = _frame([*strong.values()], shown, WIDTH - room)
    parts = [frame.rows(_tick, y, 5), frame.columns(_tick, x, 7)]
    if level is not None:
        height = frame.y(level)
        ends = {"x1": frame.x.start, "x2": frame.x.stop, "y1": height, "y2": height}
        parts.append(tag("line", tag("title", f"{y} {level:.4g}"), class_="diagonal", **ends))
    for lines, weight in ((faint, " faint"), (strong, "")):
        for name, line in lines.items():
            parts += [_drawn(frame, line, name, hues[name], weight)] if line else []
    for name, (a, b) in (marks or {}).items():
        title = tag("title", f"{name}: {a:.4g}, {b:.4g}")
        class_ = _class(hues[name])
        parts.append(tag("circle", title, cx=frame.x(a), cy=frame.y(b), r=4.5, class_=class_))
    return picture(f"{y} over {x}", WIDTH, HEIGHT, *parts, _legend(strong, hues, WIDTH - room))


def _frame(across: Sequence[Curve], upwards: Sequence[Curve], right: float) -> Frame:
    """The x axis ends where lines do; it is logarithmic when they end far apart."""
    lasts = [line[-1][0] for line in across]
    xs = [x for line in across for x, _ in line if x > 0]
    ys = [y for line in upwards for _, y in line]
    apart = max(lasts) > STEEP * min(lasts) > 0
    horizontal = Scale(min(xs) if apart else 0.0, max(xs), LEFT, right, log=apart)
    low, high = min(ys), max(ys)
    foot = HEIGHT - FOOT
    if low > 0 and high > STEEP * low:
        return Frame(horizontal, Scale(low / 1.15, high * 1.15, foot, TOP, log=True))
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return Frame(horizontal, Scale(low - margin, high + margin, foot, TOP))


def _class(hue: int) -> str:
    return f"hue hue{hue % HUES}"


def _drawn(frame: Frame, line: Curve, name: str, hue: int, weight: str) -> Markup:
    points = [(frame.x(max(x, frame.x.low)), frame.y(y)) for x, y in line]
    if len(points) == 1:
        (x, y), class_ = points[0], _class(hue) + weight
        return tag("circle", tag("title", name), cx=x, cy=y, r=2.5, class_=class_)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return tag(
        "polyline",
        tag("title", name + (", training" if weight else "")),
        points=path,
        class_=_class(hue) + weight,
        stroke_dasharray="7 4" if hue >= HUES else None,
    )


def _legend(lines: Mapping[str, Curve], hues: Mapping[str, int], x: float) -> Markup:
    """Write the names from the least last value to the greatest: as the lines end."""
    order = sorted(lines, key=lambda name: (lines[name][-1][1], name))
    parts = list[Markup]()
    for k, name in enumerate(order):
        y = TOP + 10.0 + k * LINE
        dash = "7 4" if hues[name] >= HUES else None
        line = {"x1": x + 14, "x2": x + 32, "y1": y - 4, "y2": y - 4, "stroke_dasharray": dash}
        parts.append(tag("line", class_=_class(hues[name]), **line))
        parts.append(write(short(name, LONGEST), x + 38, y, "name"))
    return group(parts)


def _tick(value: float) -> str:
    return f"{value:,.10g}" if value == 0 or 1e-3 <= abs(value) < 1e6 else plain(value, 1)
