"""A range test: loss over a growing learning rate, with what was read off."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from gradatim.report.svg import Frame, Scale, picture, polyline, tag, write
from gradatim.report.words import plain

__all__ = ["range_figure"]

WIDTH, HEIGHT = 860, 340


def range_figure(
    rates: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    marks: Mapping[str, float],
) -> Markup:
    """Return both losses over the rate, cut where the smoothed loss leaves twice its first.

    Args:
        rates: rising, above 0.
        losses: of each batch.
        smoothed: the same, smoothed.
        marks: rates to be marked, by what they are called.
    """
    top = max(smoothed[0], 2 * smoothed[0] - min(smoothed)) * 1.02
    x = Scale(rates[0], rates[-1], 60, WIDTH - 20.0, log=True)
    low = min(*smoothed, *losses)
    y = Scale(low - 0.04 * (top - low), top, HEIGHT - 48.0, 64)
    frame = Frame(x, y)
    parts = [frame.rows(_tick, "loss"), frame.columns(_tick, "learning rate", 8)]
    for values, class_, title in (
        (losses, "thin", "each batch"),
        (smoothed, "curve", "smoothed"),
    ):
        shown = [(x(r), y(min(v, top))) for r, v in zip(rates, values, strict=True)]
        parts.append(polyline(shown, class_, title))
    for k, (name, rate) in enumerate(sorted(marks.items(), key=lambda mark: mark[1])):
        place, height = x(rate), 14.0 + 16 * (k % 3)
        line = {"x1": place, "x2": place, "y1": height + 4, "y2": HEIGHT - 48.0}
        parts.append(tag("line", class_="diagonal", **line))
        parts.append(write(f"{name} {rate:.2g}", place - 6, height + 6, "name", text_anchor="end"))
    return picture("loss over learning rate", WIDTH, HEIGHT, *parts)


def _tick(value: float) -> str:
    return f"{value:.10g}" if value == 0 or 1e-3 <= abs(value) < 1e6 else plain(value, 1)
