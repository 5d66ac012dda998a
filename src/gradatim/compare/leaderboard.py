"""The leaderboard: every score with a corrected interval, and its paired differences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.compare.variant import Variant
from gradatim.compare.verdict import Standing, Verdict, verdict
from gradatim.core.metric import Metric
from gradatim.core.rung import Rung, Trained
from gradatim.data.splits import Partition
from gradatim.data.streams.membership import Membership
from gradatim.ops.paired import corrected_interval, corrected_t, holm, practical
from gradatim.runs.files import is_finished, read_json

__all__ = ["Ladder", "collect", "compared"]

EMPTY = [
    *("score", "low", "high", "parameters", "multiply_adds", "fit_seconds"),
    *("predict_seconds_1", "predict_seconds_256", "bytes", "reason", "remedy"),
]


@dataclass(frozen=True)
class Ladder:
    """All that were to be compared, in order, scored or not; the verdict is for rungs alone."""

    rows: list[dict[str, Any]]
    verdict: Verdict | None
    rope: float


def collect(
    folder: Path,
    rungs: Sequence[Rung],
    split: Partition | Membership,
    metric: Metric,
    excused: Mapping[str, tuple[str, str, str]],
    rope: float | None = None,
) -> Ladder:
    """Read every finished fit of a climb, compare the rungs and choose one.

    Args:
        folder: of the run.
        rungs: in ladder order.
        split: the folds.
        metric: that decides.
        excused: rung -> (status, reason, remedy) of those that were not fitted.
        rope: difference below which two scores are practically equal; by default 0.01 for metrics
            within [0, 1], else 1 % of the simplest rung's score, or, where higher is better, of
            the best.
    """
    ladder = compared(folder, [Variant.of(r) for r in rungs], split, metric, excused, rope)
    scored = [row for row in ladder.rows if row["status"] == "ok"]
    if not scored:
        return ladder
    standings = [_standing(row, rungs, metric) for row in scored]
    texts = {row["name"]: f"{row['score']:.4g}" for row in scored}
    return replace(ladder, verdict=verdict(standings, ladder.rope, texts))


def compared(
    folder: Path,
    variants: Sequence[Variant],
    split: Partition | Membership,
    metric: Metric,
    excused: Mapping[str, tuple[str, str, str]],
    rope: float | None = None,
    reference: str | None = None,
) -> Ladder:
    """Read every finished fit of a run and compare them, without a verdict.

    Each row holds the paired difference to the row before it ("below"), to the best ("best") and
    to the reference ("reference", where one is asked for), or None; p-values are Holm's.

    Args:
        folder: of the run.
        variants: in the order of the leaderboard.
        split: the folds.
        metric: that decides.
        excused: name -> (status, reason, remedy) of those that were not fitted.
        rope: as for `collect`, by the first that was scored.
        reference: the name of the one that all others are compared with.
    """
    rows = [_row(folder, variant, split, metric, excused) for variant in variants]
    if reference is not None:
        rows = [row | {"reference": None} for row in rows]
    scored = [row for row in rows if row["status"] == "ok"]
    if not scored:
        return Ladder(rows, None, 0.0)
    rope = rope if rope is not None else _rope(scored, metric)
    best = max(scored, key=lambda row: metric.sign * row["score"])
    base = next((row for row in scored if row["name"] == reference), None)
    for below, row in zip([None, *scored], scored, strict=False):
        for key, other in (("below", below), ("best", best), ("reference", base)):
            if other and other is not row:
                row[key] = _paired(row, other, split.ratio, metric, rope)
    _adjust(scored)
    return Ladder(rows, None, rope)


def _row(
    folder: Path,
    variant: Variant,
    split: Partition | Membership,
    metric: Metric,
    excused: Mapping[str, tuple[str, str, str]],
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(EMPTY) | {"fold_scores": [], "scores": {}, "notes": []}
    row |= {key: getattr(variant, key) for key in ("name", "place", "idea", "source")}
    row |= {"deviations": list(variant.deviations), "note": ""}
    row |= dict.fromkeys(("below", "best"))
    fits = [folder / "fits" / variant.name / fold.name for fold in split.folds]
    results = [read_json(fit / "result.json") for fit in fits if is_finished(fit)]
    if variant.name in excused or not results:
        gone = ("not tried", "it was not reached", "run the same command again")
        status, reason, remedy = excused.get(variant.name, gone)
        return row | {"status": status, "reason": reason, "remedy": remedy}
    return row | _summary(results, len(fits), metric, split.ratio)


def _summary(
    results: list[dict[str, Any]], wanted: int, metric: Metric, ratio: float
) -> dict[str, Any]:
    failed = [r for r in results if "failed" in r]
    if failed or len(results) < wanted:
        return _unscored(failed, len(results), wanted)
    scores = [r["scores"][metric.name] for r in results]
    known = [s for s in scores if s is not None]
    if not known:
        return {
            "status": "failed",
            "reason": f"{metric.name} is undefined in every fold",
            "remedy": "choose another --metric",
        }
    low, high = metric.within(*corrected_interval(known, ratio))
    notes = [r["note"] for r in results[:1] if r["note"]]
    if len(known) < wanted:
        notes.append(f"{metric.name} is undefined in {wanted - len(known)} of {wanted} folds")
    costs: dict[str, Any] = next((r["costs"] for r in results if "costs" in r), {})
    return costs | {
        "status": "ok",
        "score": float(np.mean(known)),
        "low": _finite(low),
        "high": _finite(high),
        "fold_scores": scores,
        "scores": _means(results),
        "fit_seconds": float(np.mean([r["fit_seconds"] for r in results])),
        "notes": notes,
        "note": notes[0] if notes else "",
    }


def _unscored(failed: list[dict[str, Any]], finished: int, wanted: int) -> dict[str, Any]:
    if failed:
        return {
            "status": "failed",
            "reason": f"failed in {len(failed)} of {wanted} folds: {failed[0]['failed']}",
            "remedy": "see its fits/ folder; the others are not affected",
        }
    reason = f"only {finished} of {wanted} folds were finished in time"
    return {"status": "not tried", "reason": reason, "remedy": "give more --minutes"}


def _means(results: list[dict[str, Any]]) -> dict[str, float | None]:
    columns = {name: [r["scores"][name] for r in results] for name in results[0]["scores"]}
    return {
        name: None if None in values else float(np.mean(values)) for name, values in columns.items()
    }


def _rope(scored: list[dict[str, Any]], metric: Metric) -> float:
    """Return the difference that means nothing: 0.01, or 1 % of the worst or of the best.

    An error is largest for the simplest rung; a count of good things, which may begin near zero,
    for the best.
    """
    if metric.bounded:
        return 0.01
    most = scored[0]["score"]
    if metric.sign > 0:
        most = max(row["score"] for row in scored)
    return 0.01 * abs(most) or 1e-12


def _paired(
    row: dict[str, Any], other: dict[str, Any], ratio: float, metric: Metric, rope: float
) -> dict[str, Any]:
    """Return the paired difference to another rung; positive means that this one is better."""
    pairs = zip(row["fold_scores"], other["fold_scores"], strict=True)
    both = [metric.sign * (a - b) for a, b in pairs if a is not None and b is not None]
    low, high = corrected_interval(both, ratio) if both else (math.nan, math.nan)
    likely = practical(both, ratio, rope)
    return {
        "rung": other["name"],
        "difference": _finite(float(np.mean(both))) if both else None,
        "low": _finite(low),
        "high": _finite(high),
        "p": _finite(corrected_t(both, ratio)[1]),
        "worse": _finite(likely.worse),
        "equal": _finite(likely.equal),
        "better": _finite(likely.better),
    }


def _adjust(scored: list[dict[str, Any]]) -> None:
    """Correct the p-values for how many were compared (Holm)."""
    for key in ("below", "best", "reference"):
        pairs = [row[key] for row in scored if row.get(key)]
        values = [pair["p"] if pair["p"] is not None else math.nan for pair in pairs]
        for pair, adjusted in zip(pairs, holm(values) if values else [], strict=True):
            pair["p_holm"] = _finite(adjusted)


def _standing(row: dict[str, Any], rungs: Sequence[Rung], metric: Metric) -> Standing:
    rung = next(r for r in rungs if r.name == row["name"])
    best = row["best"] or {"worse": 0.0, "equal": 1.0, "better": 0.0}
    return Standing(
        rung=rung.name,
        deep=isinstance(rung, Trained),
        dummy=rung.dummy,
        goodness=metric.sign * row["score"],
        worse=best["worse"] or 0.0,
        equal=best["equal"] or 0.0,
        better=best["better"] or 0.0,
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
