"""Drawing SVG by hand: elements that escape whatever they hold, scales and axes.

Colours come from the page's style through classes, so a figure follows light, dark and print.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup, escape

__all__ = ["Frame", "Scale", "group", "picture", "polyline", "short", "tag", "write"]

LONGEST = 200  # letters of a text, a tooltip or a label


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """Return an element; text and attributes are escaped, `class_` and `_` become `class`, `-`.

    >>> str(tag("text", "<b>", x=1.25, text_anchor="end"))
    '<text x="1.2" text-anchor="end">&lt;b&gt;</text>'
    """
    written = [
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _value(value))
        for key, value in attributes.items()
        if value is not None
    ]
    inner = Markup("").join(_child(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), Markup("").join(written), inner)


def _child(child: str) -> Markup:
    return child if isinstance(child, Markup) else escape(short(child, LONGEST))


def _value(value: object) -> object:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


def short(name: str, limit: int = 18) -> str:
    """Return a name cut to `limit` characters.

    >>> short("gradient boosted trees", 10)
    'gradient …'
    """
    return name if len(name) <= limit else name[: limit - 1] + "…"


def group(children: Iterable[str], **attributes: object) -> Markup:
    """Return a `g` of many elements."""
    return tag("g", *children, **attributes)


def picture(label: str, width: float, height: float, *children: str, class_: str = "") -> Markup:
    """Return a whole figure; `label` is what a screen reader says."""
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        class_=f"figure {class_}".strip(),
        role="img",
        aria_label=short(label, LONGEST),
        width=width,
        height=height,
    )


def write(content: str, x: float, y: float, class_: str = "tick", **attributes: object) -> Markup:
    """Return text; it is cut nowhere, so pass it through `short` first."""
    return tag("text", content, x=x, y=y, class_=class_, **attributes)


def polyline(points: Sequence[tuple[float, float]], class_: str, title: str = "") -> Markup:
    """Return a line through points."""
    path = " ".join(f"{_value(float(x))},{_value(float(y))}" for x, y in points)
    return tag("polyline", *([tag("title", title)] if title else []), points=path, class_=class_)


@dataclass(frozen=True)
class Scale:
    """Map values from `low` to `high` on pixels from `start` to `stop`."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, value = (log10(v) if self.log else v for v in (self.low, self.high, value))
        part = (value - low) / (high - low) if high > low else 0.5
        return self.start + min(1.02, max(-0.02, part)) * (self.stop - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Return round values inside the scale."""
        return self._powers() if self.log else _round_steps(self.low, self.high, wanted)

    def _powers(self) -> list[float]:
        first, last = floor(log10(self.low)), ceil(log10(self.high))
        few = last - first <= 2
        every = [10.0**k * m for k in range(first, last + 1) for m in ((1, 2, 5) if few else (1,))]
        inside = [v for v in every if self.low * 0.999 <= v <= self.high * 1.001]
        return inside[:: max(1, ceil(len(inside) / 7))]


def _round_steps(low: float, high: float, wanted: int) -> list[float]:
    rough = (high - low) / max(1, wanted)
    if not rough > 0:
        return [low]
    power = 10.0 ** floor(log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first, last = ceil(low / step - 1e-6), floor(high / step + 1e-6)
    return [k * step for k in range(first, last + 1)]


@dataclass(frozen=True)
class Frame:
    """Two scales with their grid and axis labels."""

    x: Scale
    y: Scale

    def rows(self, label: Callable[[float], str], title: str = "", wanted: int = 5) -> Markup:
        """Return horizontal grid lines with their values on the left, and the axis title."""
        left, right = sorted((self.x.start, self.x.stop))
        parts = [write(title, left, min(self.y.start, self.y.stop) - 10, "axis")] if title else []
        for value in self.y.ticks(wanted):
            y = self.y(value)
            parts.append(tag("line", x1=left, x2=right, y1=y, y2=y, class_="grid"))
            parts.append(write(label(value), left - 7, y + 3.5, text_anchor="end"))
        return group(parts)

    def columns(self, label: Callable[[float], str], title: str = "", wanted: int = 5) -> Markup:
        """Return vertical grid lines with their values below, and the axis title."""
        top, bottom = sorted((self.y.start, self.y.stop))
        parts = []
        for value in self.x.ticks(wanted):
            x = self.x(value)
            parts.append(tag("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid"))
            parts.append(write(label(value), x, bottom + 16, text_anchor="middle"))
        if title:
            right = max(self.x.start, self.x.stop)
            parts.append(write(title, right, bottom + 34, "axis", text_anchor="end"))
        return group(parts)
