"""Lines on two logarithmic axes, such as cost over size; each line is named at its end."""

from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from gradatim.report.svg import Frame, Scale, group, picture, polyline, tag, write
from gradatim.report.words import duration

__all__ = ["growth_figure", "power_of_ten"]

WIDTH, HEIGHT = 480, 330
NAMES = 118  # pixels for the names at the ends
LINE = 14  # pixels between two names
DASHES = (None, "6 3", "2 3", "8 3 2 3", "1 2")

Points = Sequence[tuple[float, float]]


def growth_figure(
    lines: Mapping[str, Points], x: str, y: str, write_y: Callable[[float], str], chosen: str
) -> Markup:
    """Return lines over a logarithmic x; values must be above 0.

    Args:
        lines: points by name, from left to right.
        x: title of the axis.
        y: title of the axis.
        write_y: how a value is written.
        chosen: the line that stands out.
    """
    xs = sorted({point[0] for points in lines.values() for point in points})
    ys = [point[1] for points in lines.values() for point in points]
    frame = Frame(
        Scale(xs[0] / 1.2, xs[-1] * 1.2, 60, WIDTH - NAMES, log=True),
        Scale(min(ys) / 1.6, max(ys) * 1.6, HEIGHT - 48.0, 30, log=True),
    )
    parts = [frame.rows(write_y, y), _sizes(frame, xs, x)]
    for k, (name, points) in enumerate(lines.items()):
        parts.append(_line(frame, name, points, DASHES[k % len(DASHES)], name == chosen))
    return picture(f"{y} over {x}, by method", WIDTH, HEIGHT, *parts, _names(frame, lines, chosen))


def power_of_ten(value: float) -> str:
    """Write a round value as a power.

    >>> power_of_ten(1e-10), power_of_ten(100.0)
    ('1e-10', '100')
    """
    return f"{value:g}"


def seconds(value: float) -> str:
    """Write a round time."""
    return f"{1e6 * value:g} µs" if value < 1e-3 else duration(value)


def _sizes(frame: Frame, values: Sequence[float], title: str) -> Markup:
    """Return a grid line at each size, since few sizes are powers of ten."""
    top, bottom = sorted((frame.y.start, frame.y.stop))
    parts = [write(title, frame.x.stop, bottom + 34, "axis", text_anchor="end")]
    for value in values:
        x = frame.x(value)
        parts.append(tag("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid"))
        parts.append(write(f"{value:,.0f}", x, bottom + 16, text_anchor="middle"))
    return group(parts)


def _line(frame: Frame, name: str, points: Points, dash: str | None, chosen: bool) -> Markup:
    class_, mark = ("curve", "mark") if chosen else ("thin strong", "dot")
    on = [(frame.x(x), frame.y(y)) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in on)
    line = tag("polyline", points=path, class_=class_, stroke_dasharray=None if chosen else dash)
    dots = [
        tag("circle", tag("title", f"{name}, {x:,.0f}: {y:.3g}"), cx=a, cy=b, r=3, class_=mark)
        for (a, b), (x, y) in zip(on, points, strict=True)
    ]
    return group([line, *dots])


def _names(frame: Frame, lines: Mapping[str, Points], chosen: str) -> Markup:
    """Write each name at the end of its line; names that would overlap move apart."""
    ends = sorted((frame.y(points[-1][1]), name) for name, points in lines.items())
    parts, below = [], -1e9
    for k, (y, name) in enumerate(ends):
        place = max(y, below + LINE)
        room = frame.y.start - LINE * (len(ends) - 1 - k)  # so that the last ones fit too
        below = min(place, room)
        x = frame.x(lines[name][-1][0])
        tip = frame.x.stop + 14
        parts.append(polyline([(x + 5, y), (tip, below)], "leader"))
        class_ = "name chosen" if name == chosen else "name"
        parts.append(write(name, tip + 3, below + 4, class_))
    return group(parts)
