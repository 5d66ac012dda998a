"""Small bars that stand in tables: an interval on a common scale, and shares of a whole."""

from collections.abc import Sequence

from markupsafe import Markup

from gradatim.report.svg import Scale, picture, tag

__all__ = ["interval_bar", "share_bar", "stacked_bar"]


def interval_bar(
    score: float, low: float | None, high: float | None, span: tuple[float, float], chosen: bool
) -> Markup:
    """Return a dot with its interval; what lies left of the span sits at its edge."""
    scale = Scale(*span, start=6, stop=114)
    parts = [tag("line", x1=0, x2=120, y1=9, y2=9, class_="rail")]
    if low is not None and high is not None:
        parts.append(tag("line", x1=scale(low), x2=scale(high), y1=9, y2=9, class_="range"))
    class_ = "mark" if chosen else "solid-mark"
    if span[0] <= score <= span[1]:
        parts.append(tag("circle", cx=scale(score), cy=9, r=5 if chosen else 4, class_=class_))
    else:
        points = "9,4 1,9 9,14" if score < span[0] else "111,4 119,9 111,14"
        parts.append(tag("polygon", points=points, class_="quiet-mark"))
    return picture("interval of the score", 120, 18, *parts, class_="inline")


def share_bar(share: float, width: float = 220) -> Markup:
    """Return one share of a whole as a bar."""
    full = max(0.0, min(1.0, share)) * width
    rail = tag("rect", x=0, y=3, width=width, height=10, rx=2, class_="bar-rail")
    bar = tag("rect", x=0, y=3, width=full, height=10, rx=2, class_="bar")
    return picture(f"{share:.0%}", width, 16, rail, bar, class_="inline")


def stacked_bar(parts: Sequence[tuple[float, str, str]], width: float = 320) -> Markup:
    """Return shares side by side; each is (count, class of style, what it is)."""
    total, left, bars = sum(count for count, _, _ in parts) or 1.0, 0.0, list[Markup]()
    for count, class_, name in parts:
        part = count / total * width
        title = tag("title", f"{name}: {count:,.0f}")
        bars.append(tag("rect", title, x=left, y=2, width=part, height=12, class_=class_))
        left += part
    label = ", ".join(f"{name}: {count:,.0f}" for count, _, name in parts)
    return picture(label, width, 16, *bars, class_="inline")
