"""What a rung fixes and breaks relative to the rung below it, row by row."""

from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup

from gradatim.report.answers import Answers
from gradatim.report.figures.bars import stacked_bar
from gradatim.report.samples import Sampler, Shelf

__all__ = ["Change", "change", "mistakes"]

SHOWN = 9  # samples a shelf
WORST = 18


@dataclass(frozen=True)
class Change:
    """Two rungs on the rows that both predicted."""

    rung: str
    below: str
    rows: int
    fixed: Shelf
    broken: Shelf
    bar: Markup
    regression: bool


def change(names: tuple[str, str], below: Answers, now: Answers, sampler: Sampler) -> Change:
    """Return what changes from the rung `names[0]` to `names[1]`."""
    before, after = _common(below, now)
    gain = after.quality - before.quality
    if after.confidence is None:
        fixed, broken, parts = gain > 0, gain < 0, _shifts(gain)
    else:
        fixed, broken = after.right & ~before.right, before.right & ~after.right
        parts = _agreement(before.right, after.right)
    up, down = np.argsort(-gain, kind="stable"), np.argsort(gain, kind="stable")
    return Change(
        rung=names[1],
        below=names[0],
        rows=len(gain),
        fixed=sampler.shelf(up[fixed[up]], SHOWN, after, before),
        broken=sampler.shelf(down[broken[down]], SHOWN, after, before),
        bar=stacked_bar(parts),
        regression=after.confidence is None,
    )


def _common(below: Answers, now: Answers) -> tuple[Answers, Answers]:
    """Return both on the rows that both have; a failed fold leaves a rung without some."""
    _, first, second = np.intersect1d(below.rows, now.rows, True, return_indices=True)
    return _take(below, first), _take(now, second)


def _take(whole: Answers, places: np.ndarray) -> Answers:
    confidence = None if whole.confidence is None else whole.confidence[places]
    return replace(
        whole,
        rows=whole.rows[places],
        targets=whole.targets[places],
        predicted=whole.predicted[places],
        quality=whole.quality[places],
        confidence=confidence,
    )


def _agreement(before: np.ndarray, after: np.ndarray) -> list[tuple[float, str, str]]:
    return [
        (float((before & after).sum()), "part-same", "both right"),
        (float((~before & after).sum()), "part-fixed", "fixed"),
        (float((before & ~after).sum()), "part-broken", "broken"),
        (float((~before & ~after).sum()), "part-wrong", "both wrong"),
    ]


def _shifts(gain: np.ndarray) -> list[tuple[float, str, str]]:
    return [
        (float((gain > 0).sum()), "part-fixed", "error shrank"),
        (float((gain == 0).sum()), "part-same", "error stayed"),
        (float((gain < 0).sum()), "part-broken", "error grew"),
    ]


def mistakes(now: Answers, sampler: Sampler) -> Shelf:
    """Return the worst: the surest of the wrong answers, or the largest errors."""
    if now.confidence is None:
        order = np.argsort(now.quality, kind="stable")
        return sampler.shelf(order, WORST, now, None)
    order = np.argsort(-now.confidence, kind="stable")
    return sampler.shelf(order[~now.right[order]], WORST, now, None)
