"""The size of signals or gradients by layer: measured dots on the line that theory draws."""

from collections.abc import Sequence

from markupsafe import Markup

from gradatim.report.figures.lines import lines_figure

__all__ = ["signal_figure"]


def signal_figure(what: str, measured: Sequence[float], expected: Sequence[float | None]) -> Markup:
    """Return both over the layers, on a logarithmic axis.

    Args:
        what: title of the axis, such as "variance of signals".
        measured: one number a layer.
        expected: by theory; None where it is silent.
    """
    lines: dict[str, Sequence[float | None]] = {"measured": measured}
    if sum(value is not None for value in expected) > 1:
        lines = {"theory": expected} | lines
    return lines_figure(
        lines, "layer, from the input", what, log=True, chosen="theory", dotted=["measured"]
    )
