"""Is a confidence of 80% right in 80 of 100 cases? And the curves of what is found by threshold."""

import numpy as np
from markupsafe import Markup

from gradatim.report.svg import Frame, Scale, picture, polyline, tag

__all__ = ["calibration_figure", "precision_figure", "roc_figure"]

WIDTH, HEIGHT = 340, 330
SHOWN = 0.5  # confidence from which on a find is shown to people
FEW = 10  # rows; the share of fewer is chance, and the line passes it by


def _frame() -> Frame:
    return Frame(Scale(0, 1, 48, WIDTH - 14.0), Scale(0, 1, HEIGHT - 48.0, 28))


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"


def calibration_figure(curve: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Markup:
    """Return accuracy over confidence; the area of a dot is the number of rows."""
    frame, (confidence, share, count) = _frame(), curve
    kept = np.flatnonzero(count)
    points = [(frame.x(confidence[k]), frame.y(share[k])) for k in kept]
    solid = [point for point, k in zip(points, kept, strict=True) if count[k] >= FEW]
    parts = [frame.rows(_percent, "share that is right"), frame.columns(_percent, "confidence")]
    parts.append(polyline([(frame.x(0), frame.y(0)), (frame.x(1), frame.y(1))], "diagonal"))
    parts.append(polyline(solid, "curve"))
    for (x, y), k in zip(points, kept, strict=True):
        title = tag("title", f"{count[k]:,} rows: sure {confidence[k]:.2f}, right {share[k]:.2f}")
        radius = 2.5 + 7 * float(np.sqrt(count[k] / count.max()))
        parts.append(tag("circle", title, cx=x, cy=y, r=radius, class_="bubble"))
    return picture("calibration: share right over confidence", WIDTH, HEIGHT, *parts)


def roc_figure(points: np.ndarray) -> Markup:
    """Return true alarms over false alarms as the threshold falls."""
    frame = _frame()
    line = [(frame.x(x), frame.y(y)) for x, y in points.tolist()]
    parts = [frame.rows(_percent, "true alarms"), frame.columns(_percent, "false alarms")]
    parts.append(polyline([(frame.x(0), frame.y(0)), (frame.x(1), frame.y(1))], "diagonal"))
    return picture("ROC curve", WIDTH, HEIGHT, *parts, polyline(line, "curve"))


def precision_figure(recall: np.ndarray, precision: np.ndarray, confidence: np.ndarray) -> Markup:
    """Return precision over recall as the confidence falls that a find must have.

    A dot marks the confidence of one half, from which on finds are shown.
    """
    frame = _frame()
    line = [(frame.x(x), frame.y(y)) for x, y in zip(recall, precision, strict=True)]
    parts = [frame.rows(_percent, "precision"), frame.columns(_percent, "recall")]
    parts.append(polyline(line, "curve"))
    shown = int((confidence >= SHOWN).sum())
    if shown:
        x, y = line[shown - 1]
        said = f"at least 50% sure: precision {precision[shown - 1]:.2f}"
        title = tag("title", f"{said}, recall {recall[shown - 1]:.2f}")
        parts.append(tag("circle", title, cx=x, cy=y, r=4.5, class_="mark"))
    return picture("precision over recall", WIDTH, HEIGHT, *parts)
