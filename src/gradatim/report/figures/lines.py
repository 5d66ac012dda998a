"""Lines over a count, such as layers or epochs, each named at its end."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from gradatim.report.svg import Frame, Scale, group, picture, polyline, tag, write
from gradatim.report.words import plain

__all__ = ["lines_figure"]

WIDTH, HEIGHT = 760, 310
LETTER = 6.4  # pixels
LINE = 15  # pixels between two names
DASHES = (None, "7 4", "2 3")

Line = Sequence[float | None]


def lines_figure(
    lines: Mapping[str, Line],
    x: str,
    y: str,
    *,
    log: bool = False,
    chosen: str = "",
    dotted: Sequence[str] = (),
    first: int = 1,
) -> Markup:
    """Return lines whose points stand at first, first + 1, ...; None leaves a gap at the end.

    Args:
        lines: values by name; on a logarithmic axis those that are not positive sit at its foot.
        x: title of the axis.
        y: title of the axis.
        log: whether y is logarithmic.
        chosen: the line that stands out.
        dotted: lines that are drawn as dots alone, for what was measured.
        first: where the count begins.
    """
    values = [v for line in lines.values() for v in line if v is not None]
    count = max(len(line) for line in lines.values())
    room = 26 + LETTER * max(len(name) for name in lines)
    across = Scale(first - 0.3, first + count - 0.7, 66, WIDTH - room)
    frame = Frame(across, _upwards(values, log))
    parts = [frame.rows(_tick, y, 5), frame.columns(_whole, x, min(count, 11))]
    drawn = {
        name: [
            (frame.x(first + k), frame.y(max(v, frame.y.low) if log else v))
            for k, v in enumerate(line)
            if v is not None
        ]
        for name, line in lines.items()
    }
    plainly = [name for name in lines if name != chosen]
    for name, points in drawn.items():
        dash = None if name == chosen else DASHES[plainly.index(name) % len(DASHES)]
        parts.append(_line(name, lines[name], points, name == chosen, name in dotted, dash))
    return picture(f"{y} over {x}", WIDTH, HEIGHT, *parts, _names(drawn, chosen, frame.x.stop))


def _upwards(values: Sequence[float], log: bool) -> Scale:
    bottom = HEIGHT - 48.0
    if log:
        positive = [v for v in values if v > 0] or [1.0]
        low, high = min(positive), max(positive)
        low, high = (low / 1.5, high * 1.5) if high / low > 10 else (low / 4, high * 4)
        return Scale(low, high, bottom, 34, log=True)
    low, high = min(*values, 0.0), max(values)
    return Scale(low, high + 0.05 * (high - low or 1.0), bottom, 34)


def _line(
    name: str,
    values: Line,
    points: Sequence[tuple[float, float]],
    chosen: bool,
    dots: bool,
    dash: str | None,
) -> Markup:
    if not dots:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        class_ = "curve" if chosen else "thin strong"
        return tag(
            "polyline", tag("title", name), points=path, class_=class_, stroke_dasharray=dash
        )
    known = [v for v in values if v is not None]
    return group(
        tag("circle", tag("title", f"{name}: {v:.3g}"), cx=x, cy=y, r=4, class_="solid-mark")
        for v, (x, y) in zip(known, points, strict=True)
    )


def _names(drawn: Mapping[str, Sequence[tuple[float, float]]], chosen: str, right: float) -> Markup:
    """Write each name beside the end of its line; names that would overlap move apart."""
    ends = sorted((points[-1][1], name) for name, points in drawn.items() if points)
    parts, below = [], -1e9
    for k, (y, name) in enumerate(ends):
        foot = HEIGHT - 48.0 - LINE * (len(ends) - 1 - k)  # so that the last ones fit too
        below = min(max(y, below + LINE), foot)
        x = drawn[name][-1][0]
        class_ = "name chosen" if name == chosen else "name"
        if x < right - 20:  # it ends in the middle: a leader would cross the others
            parts.append(write(name, x + 8, y - 6, class_))
            continue
        parts.append(polyline([(x + 5, y), (right + 10, below)], "leader"))
        parts.append(write(name, right + 14, below + 4, class_))
    return group(parts)


def _tick(value: float) -> str:
    return f"{value:g}" if value == 0 or 1e-4 <= abs(value) < 1e6 else plain(value, 1)


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else ""
