"""What a change bought: the paired difference to the reference, turned the right way round."""

from collections.abc import Mapping
from typing import Any

__all__ = ["SURE", "effect_of"]

SURE = 0.05
"""Holm's p below which an effect is called shown."""


def effect_of(row: Mapping[str, Any], on: bool) -> dict[str, Any]:
    """Return score with minus score without, so that above 0 it helps, whichever way is better.

    Args:
        row: of `leaderboard.compared`, compared with the recipe as it is.
        on: whether the recipe uses the regulariser: then the row is the fit without it.

    Returns:
        `effect` with its corrected 95 % interval `low` to `high` in the unit of the metric,
        `p_holm` (None where all folds differ alike), the `verdict` (helps, hurts, not shown, or why
        it has none), and the row's own `score`, `status` and `reason`.
    """
    told: dict[str, Any] = {key: row[key] for key in ("score", "status", "reason", "remedy")}
    pair = row.get("reference") or {}
    difference, low, high = (pair.get(key) for key in ("difference", "low", "high"))
    if difference is None:
        status = row["status"] if row["status"] != "ok" else "not compared"
        return (
            told | {"effect": None, "low": None, "high": None, "p_holm": None} | {"verdict": status}
        )
    if on:
        difference = -difference
        low, high = (None if high is None else -high), (None if low is None else -low)
    # Differences that are the same in all of a few folds are coarse scores, not certainty.
    p = None if low == high else pair.get("p_holm")
    shown = p is not None and p < SURE
    verdict = ("helps" if difference > 0 else "hurts") if shown else "not shown"
    return told | {
        "effect": difference + 0.0,
        "low": low,
        "high": high,
        "p_holm": p,
        "verdict": verdict,
    }
