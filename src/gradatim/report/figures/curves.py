"""Learning curves, and the course's question "which M?": error over a model's size."""

from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from gradatim.report.svg import Frame, Scale, group, picture, polyline, tag, write
from gradatim.report.words import plain

__all__ = ["Curve", "choice_figure", "learning_figure"]

WIDTH, HEIGHT = 340, 230
Curve = Sequence[tuple[float, float]]
STEEP = 30  # from this ratio of highest to lowest on, the axis is logarithmic


def learning_figure(
    curves: Mapping[str, Sequence[Curve]], rung: str, title: str = "loss"
) -> Markup:
    """Return what changes by epoch, one thin line a fold; at most two kinds of lines.

    Args:
        curves: kind, such as "loss" and "validation loss" -> a line a fold.
        rung: whose they are.
        title: of the axis.
    """
    points = [point for lines in curves.values() for line in lines for point in line]
    frame = _frame(points)
    parts = [frame.rows(_tick, title, 4), frame.columns(_whole, "epoch", 5)]
    for place, (kind, lines) in enumerate(curves.items()):
        class_ = "thin accent" if place else "thin"
        parts += [_line(frame, line, class_, kind, k) for k, line in enumerate(lines)]
    return picture(f"learning curves of {rung}", WIDTH, HEIGHT, *parts, _legend(list(curves)))


def choice_figure(
    name: str, x: Sequence[float], training: Curve, held_out: Curve, chosen: float | None
) -> Markup:
    """Return training and held-out error over the size `name`, the chosen one marked."""
    frame = _frame([*training, *held_out], integers=all(value == int(value) for value in x))
    parts = [frame.rows(_tick, "error", 4), frame.columns(_tick, name, min(8, len(x)))]
    parts.append(polyline(_on(frame, training), "thin strong"))
    parts.append(polyline(_on(frame, held_out), "curve"))
    for value, error in held_out:
        class_ = "mark" if value == chosen else "dot"
        title = tag("title", f"{name} {value:g}: {error:.4g}")
        parts.append(
            tag("circle", title, cx=frame.x(value), cy=frame.y(error), r=3.5, class_=class_)
        )
    legend = _legend(["training error", "held-out error"])
    return picture(f"training and held-out error over {name}", WIDTH, HEIGHT, *parts, legend)


def _on(frame: Frame, line: Curve) -> list[tuple[float, float]]:
    return [(frame.x(x), frame.y(y)) for x, y in line]


def _line(frame: Frame, line: Curve, class_: str, kind: str, fold: int) -> Markup:
    return polyline(_on(frame, line), class_, f"fold {fold + 1}, {kind}")


def _frame(points: Sequence[tuple[float, float]], integers: bool = True) -> Frame:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low, high = min(ys), max(ys)
    log = low > 0 and high / low > STEEP
    margin = 1.0 if log else (0.05 * (high - low) or 0.05 * abs(high) or 1.0)
    left, right = min(xs), max(xs)
    right = right if right > left else left + 1
    y = Scale(low / 1.1, high * 1.1, HEIGHT - 48.0, 30, log=True) if log else None
    return Frame(
        Scale(left, right, 52, WIDTH - 14.0),
        y or Scale(low - margin, high + margin, HEIGHT - 48.0, 30),
    )


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else ""


def _tick(value: float) -> str:
    return f"{value:.10g}" if 1e-4 <= abs(value) < 1e6 or value == 0 else plain(value, 2)


def _legend(names: Sequence[str]) -> Markup:
    parts, x = list[Markup](), WIDTH - 14.0
    classes: Callable[[int], str] = lambda k: "curve" if k else "thin strong"  # noqa: E731
    for k, name in reversed(list(enumerate(names))):
        x -= 6.1 * len(name)
        parts.append(write(name, x, 20))
        parts.append(polyline([(x - 20, 16), (x - 5, 16)], classes(k)))
        x -= 32
    return group(parts)
