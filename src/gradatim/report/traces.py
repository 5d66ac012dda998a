"""A sequence as a small line picture, one line a channel."""

import base64

import numpy as np
from markupsafe import Markup

from gradatim.report.svg import tag

__all__ = ["limits", "trace"]

SIDE, EDGE = 96, 6  # of the square
STEPS = 48  # more steps are averaged down to so many
COLOURS = ("#ffd166", "#4cc9f0", "#ef8fb4", "#95d5b2", "#cdb4db", "#f4a261")  # on the tiles' black


def limits(sequences: np.ndarray) -> np.ndarray:
    """Return the least and the greatest value of each channel, shape (2, channels).

    Args:
        sequences: shape (rows, steps, channels); all of them are drawn between these limits.
    """
    return np.stack([sequences.min((0, 1)), sequences.max((0, 1))])


def trace(sequence: np.ndarray, bounds: np.ndarray) -> str:
    """Return a sequence of shape (steps, channels) as the data URI of an SVG picture.

    Each channel runs between its own limits. Channels beyond the sixth are not drawn.
    """
    lines = zip(sequence.T, bounds.T, COLOURS, strict=False)
    parts = [_line(values, low, high, colour) for values, (low, high), colour in lines]
    box = f"0 0 {SIDE} {SIDE}"
    drawing = tag("svg", *parts, xmlns="http://www.w3.org/2000/svg", viewBox=box)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"


def _line(values: np.ndarray, low: float, high: float, colour: str) -> Markup:
    if len(values) > STEPS:
        values = np.array([part.mean() for part in np.array_split(values, STEPS)])
    share = (
        (values / 2 - low / 2) / (high / 2 - low / 2) if high > low else np.full(len(values), 0.5)
    )
    share = np.repeat(share, 2) if len(share) == 1 else share
    x = np.linspace(EDGE, SIDE - EDGE, len(share))
    y = SIDE - EDGE - (SIDE - 2 * EDGE) * share
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return tag("polyline", points=points, fill="none", stroke=colour, stroke_width=2)
