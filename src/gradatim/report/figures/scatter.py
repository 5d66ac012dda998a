"""Predicted against true, and residuals; many rows are drawn as a density."""

import numpy as np
from markupsafe import Markup

from gradatim.report.svg import Frame, Scale, group, picture, polyline, tag
from gradatim.report.words import plain

__all__ = ["predicted_figure", "residual_figure"]

WIDTH, HEIGHT = 460, 360
MOST = 2000  # points that are drawn one by one
BINS = 36


def predicted_figure(
    targets: np.ndarray,
    predicted: np.ndarray,
    names: tuple[str, str] = ("true", "predicted"),
) -> Markup:
    """Return predictions over truth on equal axes; on the line both are equal."""
    low, high = _span(np.concatenate([targets, predicted]))
    frame = _frame((low, high), (low, high))
    line = polyline([(frame.x(low), frame.y(low)), (frame.x(high), frame.y(high))], "diagonal")
    return _figure(frame, targets, predicted, line, names)


def residual_figure(targets: np.ndarray, predicted: np.ndarray) -> Markup:
    """Return predicted minus true, over the prediction."""
    residuals = predicted - targets
    frame = _frame(_span(predicted), _span(np.append(residuals, 0.0)))
    zero = polyline([(frame.x.start, frame.y(0)), (frame.x.stop, frame.y(0))], "diagonal")
    return _figure(frame, predicted, residuals, zero, ("predicted", "predicted minus true"))


def _span(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.03 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _frame(x: tuple[float, float], y: tuple[float, float]) -> Frame:
    return Frame(Scale(*x, start=62, stop=WIDTH - 12), Scale(*y, start=HEIGHT - 48, stop=28))


def _figure(
    frame: Frame, x: np.ndarray, y: np.ndarray, line: Markup, names: tuple[str, str]
) -> Markup:
    cloud = _points(frame, x, y) if len(x) <= MOST else _density(frame, x, y)
    axes = [frame.rows(_tick, names[1]), frame.columns(_tick, names[0])]
    return picture(
        f"{names[1]} over {names[0]}, {len(x):,} rows", WIDTH, HEIGHT, *axes, line, cloud
    )


def _tick(value: float) -> str:
    return f"{value:,.10g}" if 1e-4 <= abs(value) < 1e6 or value == 0 else plain(value, 2)


def _points(frame: Frame, x: np.ndarray, y: np.ndarray) -> Markup:
    """Return all points as a few paths of zero-length strokes: ten bytes a point."""
    marks = [
        f"M{frame.x(a):.0f} {frame.y(b):.0f}h0" for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]
    size = max(1, len(marks) // 8 + 1)  # paths overlap visibly, strokes of one path do not
    pieces = ["".join(marks[k : k + size]) for k in range(0, len(marks), size)]
    return group([tag("path", d=piece) for piece in pieces], class_="cloud")


def _density(frame: Frame, x: np.ndarray, y: np.ndarray) -> Markup:
    ranges = [(frame.x.low, frame.x.high), (frame.y.low, frame.y.high)]
    counts, across, up = np.histogram2d(x, y, bins=BINS, range=ranges)
    width = (frame.x.stop - frame.x.start) / BINS
    height = (frame.y.start - frame.y.stop) / BINS
    cells = [
        tag(
            "rect",
            x=frame.x(across[j]),
            y=frame.y(up[k + 1]),
            width=width,
            height=height,
            fill_opacity=f"{0.08 + 0.92 * (counts[j, k] / counts.max()) ** 0.5:.2f}",
        )
        for j, k in np.argwhere(counts > 0).tolist()
    ]
    return group(cells, class_="heat")
