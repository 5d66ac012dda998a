"""The layers of a network from top to bottom: work, parameters, and the window seen, to scale."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from gradatim.report.svg import Scale, group, picture, tag, write

__all__ = ["brief", "layer_figure", "working_layers"]

Facts = Mapping[str, Any]

WIDTH, TOP = 1060, 46
NAME, OUTPUT, WORK, WEIGHTS, SEEN = 0, 290, 400, 610, 820
"""Left edges of the columns."""
COUNTS = (("multiply_adds", WORK), ("parameters", WEIGHTS))
BAR = 150  # pixels of the longest bar
WINDOW = 190  # pixels of the whole side of the input


def working_layers(layers: Sequence[Facts]) -> list[Facts]:
    """Return the layers that multiply, or that change the size or the window of the maps.

    Normalisations, activations and the like act on each place alone; a figure of them is long and
    says little.
    """
    kept, before = list[Facts](), (None, None)
    for layer in layers:
        now = (layer["stride"], layer["receptive_field"])
        if layer["multiply_adds"] or (layer["kind"] != "Parameter" and now != before):
            kept.append(layer)
        if layer["kind"] != "Parameter":
            before = now
    return kept


def layer_figure(layers: Sequence[Facts], side: int, unit: str) -> Markup:
    """Return a row a layer.

    Args:
        layers: name, kind, output, parameters, multiply_adds, stride, receptive_field.
        side: the longer side of the input.
        unit: what a place of the input is called, such as pixels.
    """
    step = 20.0 if len(layers) <= 60 else 15.0
    height = TOP + step * len(layers) + 8
    scales = {key: _scale(layers, key, left) for key, left in COUNTS}
    parts = [_heads(side, unit, height)]
    parts += [
        _row(layer, TOP + step * (i + 0.5), step, scales, side, unit)
        for i, layer in enumerate(layers)
    ]
    return picture("layers of the network", WIDTH, height, *parts, class_="wide")


def _scale(layers: Sequence[Facts], key: str, left: float) -> Scale:
    """Return a log scale that gives the smallest count a bar that can still be seen."""
    counts = [layer[key] for layer in layers if layer[key]] or [1]
    least, most = min(counts), max(counts)
    return Scale(least / max(2.0, (most / least) ** 0.15), most, left, left + BAR, log=True)


def _heads(side: int, unit: str, height: float) -> Markup:
    parts = [
        write(text, x, 14, "axis")
        for text, x in (
            ("layer", NAME),
            ("output", OUTPUT),
            ("multiply-adds, log scale", WORK),
            ("parameters, log scale", WEIGHTS),
            (f"window seen, of {side} {unit}", SEEN),
        )
    ]
    parts += [
        write("0", SEEN, 34, text_anchor="middle"),
        write(str(side), SEEN + WINDOW, 34, text_anchor="middle"),
    ]
    ends = (SEEN, SEEN + WINDOW)
    parts += [tag("line", x1=x, x2=x, y1=TOP - 6, y2=height - 6, class_="grid") for x in ends]
    return group(parts)


def _row(
    layer: Facts, y: float, step: float, scales: Mapping[str, Scale], side: int, unit: str
) -> Markup:
    thick, low = min(12.0, step - 6), y + 4
    parts = [
        write(_fitting(f"{layer['name']}  {layer['kind']}"), NAME, low, "count"),
        write(" x ".join(map(str, layer["output"])), OUTPUT, low),
    ]
    for key, left in COUNTS:
        count = layer[key]
        if count:
            length = scales[key](count) - left
            bar = {"x": left, "y": y - thick / 2, "width": length, "height": thick, "rx": 2}
            parts.append(tag("rect", tag("title", f"{count:,}"), class_="bar", **bar))
            parts.append(write(brief(count), left + length + 5, low))
    field = layer["receptive_field"]
    if field is not None:
        parts.append(_window(field, layer["stride"], y, thick, side, unit))
    return group(parts)


def _window(field: int, stride: int | None, y: float, thick: float, side: int, unit: str) -> Markup:
    """Return a bar in the middle of the input; what is wider than the input is filled darker."""
    length = max(1.0, WINDOW * min(1.0, field / side))
    text = "all of it" if stride is None else f"{field} {unit}, stride {stride}"
    bar = {
        "x": SEEN + (WINDOW - length) / 2,
        "y": y - thick / 2,
        "width": length,
        "height": thick,
        "rx": 2,
    }
    class_ = "bubble" if field < side and stride is not None else "bar"
    shown = "all" if stride is None else str(field)
    label = write(shown, SEEN + WINDOW + 8, y + 4)
    return group([tag("rect", tag("title", text), class_=class_, **bar), label])


def _fitting(text: str) -> str:
    """Return text cut in front, since the end of a name says more than its beginning."""
    return text if len(text) <= 48 else "…" + text[-47:]


def brief(count: int) -> str:
    """Return a count in three digits.

    >>> brief(1_814_073_344), brief(61_706), brief(84)
    ('1.81 G', '61.7 k', '84')
    """
    for size, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.3g} {name}"
    return str(count)
