"""Effects with their intervals, one below the other, around a line at zero."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from gradatim.report.svg import Frame, Scale, group, picture, short, tag, write
from gradatim.report.words import signed

__all__ = ["forest_figure"]

NAMES, NUMBERS, WIDTH = 240.0, 210.0, 900.0
TOP, ROW = 40.0, 26.0


def forest_figure(effects: Sequence[Mapping[str, Any]], metric: str, rope: float) -> Markup:
    """Return a row an effect: its mean, its interval, and whether it is shown.

    Args:
        effects: `spoken`, `effect`, `low`, `high` and `verdict`; those without an effect are left
            out.
        metric: for the axis.
        rope: the band around zero that means nothing in practice.
    """
    known = [e for e in effects if e["effect"] is not None]
    bottom = TOP + ROW * len(known)
    frame = Frame(_across(known, rope), Scale(0, 1, bottom, TOP))
    left, right = frame.x(-rope), frame.x(rope)
    zero = frame.x(0)
    parts = [
        tag("rect", x=left, y=TOP, width=right - left, height=bottom - TOP, class_="band"),
        frame.columns(_tick, f"what it buys in {metric}", 6),
        tag("line", x1=zero, x2=zero, y1=TOP, y2=bottom, class_="diagonal"),
        write("hurts", zero - 10, TOP - 10, "axis", text_anchor="end"),
        write("helps", zero + 10, TOP - 10, "axis"),
        *(_row(frame, TOP + ROW * (k + 0.5), e, metric) for k, e in enumerate(known)),
    ]
    return picture(f"what each regulariser buys in {metric}", WIDTH, bottom + 44, *parts)


def _across(known: Sequence[Mapping[str, Any]], rope: float) -> Scale:
    ends = [v for e in known for v in (e["effect"], e["low"], e["high"]) if v is not None]
    low, high = min(-1.5 * rope, *ends, 0.0), max(1.5 * rope, *ends, 0.0)
    margin = 0.04 * (high - low) or 1.0
    return Scale(low - margin, high + margin, NAMES, WIDTH - NUMBERS)


def _row(frame: Frame, y: float, effect: Mapping[str, Any], metric: str) -> Markup:
    shown = effect["verdict"] in ("helps", "hurts")
    parts = [
        write(
            short(effect["spoken"], 36),
            NAMES - 14,
            y + 4,
            "name chosen" if shown else "name",
            text_anchor="end",
        )
    ]
    low, high = effect["low"], effect["high"]
    numbers = signed(effect["effect"], metric)
    if low is not None and high is not None:
        parts.append(tag("line", x1=frame.x(low), x2=frame.x(high), y1=y, y2=y, class_="range"))
        numbers += f"  ({signed(low, metric)} to {signed(high, metric)})"
    title = tag("title", str(effect["sentence"]))
    class_ = "mark" if shown else "solid-mark"
    parts.append(tag("circle", title, cx=frame.x(effect["effect"]), cy=y, r=4.5, class_=class_))
    parts.append(write(numbers, WIDTH - NUMBERS + 14, y + 4, "tick"))
    return group(parts)


def _tick(value: float) -> str:
    return f"{value:+g}" if value else "0"
