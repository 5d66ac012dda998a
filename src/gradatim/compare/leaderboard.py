"""The leaderboard: every rung's score with a corrected interval, and its paired differences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.compare.verdict import Standing, Verdict, verdict
from gradatim.core.metric import Metric
from gradatim.core.rung import Rung, Trained
from gradatim.data.splits import Partition
from gradatim.ops.paired import corrected_interval, corrected_t, holm, practical
from gradatim.runs.files import is_finished, read_json

__all__ = ["Ladder", "collect"]

DUMMIES = ("majority", "mean")
EMPTY = [
    *("score", "low", "high", "parameters", "multiply_adds", "fit_seconds"),
    *("predict_seconds_1", "predict_seconds_256", "bytes", "reason", "remedy"),
]


@dataclass(frozen=True)
class Ladder:
    """All rungs in order, scored or not, and the verdict (None when nothing could be scored)."""

    rows: list[dict[str, Any]]
    verdict: Verdict | None
    rope: float


def collect(
    folder: Path,
    rungs: Sequence[Rung],
    split: Partition,
    metric: Metric,
    excused: Mapping[str, tuple[str, str, str]],
    rope: float | None = None,
) -> Ladder:
    """Read every finished fit of a run and compare them.

    Args:
        folder: of the run.
        rungs: in ladder order.
        split: the folds.
        metric: that decides.
        excused: rung -> (status, reason, remedy) of those that were not fitted.
        rope: difference below which two scores are practically equal; by default 0.01 for metrics
            within [0, 1], else 1 % of the simplest rung's score.
    """
    rows = [_row(folder, rung, split, metric, excused) for rung in rungs]
    scored = [row for row in rows if row["status"] == "ok"]
    if not scored:
        return Ladder(rows, None, 0.0)
    rope = rope if rope is not None else _rope(scored, metric)
    best = max(scored, key=lambda row: metric.sign * row["score"])
    for below, row in zip([None, *scored], scored, strict=False):
        row["below"] = _paired(row, below, split.ratio, metric, rope) if below else None
        row["best"] = _paired(row, best, split.ratio, metric, rope) if row is not best else None
    _adjust(scored)
    standings = [_standing(row, rungs, metric) for row in scored]
    texts = {row["name"]: f"{row['score']:.4g}" for row in scored}
    return Ladder(rows, verdict(standings, rope, texts), rope)


def _row(
    folder: Path,
    rung: Rung,
    split: Partition,
    metric: Metric,
    excused: Mapping[str, tuple[str, str, str]],
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(EMPTY) | {"fold_scores": [], "scores": {}, "notes": []}
    row |= {"name": rung.name, "place": rung.place, "idea": rung.idea, "source": rung.source}
    row |= {"deviations": list(rung.deviations), "below": None, "best": None, "note": ""}
    fits = [folder / "fits" / rung.name / fold.name for fold in split.folds]
    results = [read_json(fit / "result.json") for fit in fits if is_finished(fit)]
    if rung.name in excused or not results:
        gone = ("not tried", "it was not reached", "run the same command again")
        status, reason, remedy = excused.get(rung.name, gone)
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
            "remedy": "see its fits/ folder; the other rungs are not affected",
        }
    reason = f"only {finished} of {wanted} folds were finished in time"
    return {"status": "not tried", "reason": reason, "remedy": "give more --minutes"}


def _means(results: list[dict[str, Any]]) -> dict[str, float | None]:
    columns = {name: [r["scores"][name] for r in results] for name in results[0]["scores"]}
    return {
        name: None if None in values else float(np.mean(values)) for name, values in columns.items()
    }


def _rope(scored: list[dict[str, Any]], metric: Metric) -> float:
    """Return the difference that means nothing: 0.01, or 1 % of the simplest rung's score."""
    return 0.01 if metric.bounded else 0.01 * abs(scored[0]["score"]) or 1e-12


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
    """Correct the p-values for the number of rungs that were compared (Holm)."""
    for key in ("below", "best"):
        pairs = [row[key] for row in scored if row[key]]
        values = [pair["p"] if pair["p"] is not None else math.nan for pair in pairs]
        for pair, adjusted in zip(pairs, holm(values) if values else [], strict=True):
            pair["p_holm"] = _finite(adjusted)


def _standing(row: dict[str, Any], rungs: Sequence[Rung], metric: Metric) -> Standing:
    rung = next(r for r in rungs if r.name == row["name"])
    best = row["best"] or {"worse": 0.0, "equal": 1.0, "better": 0.0}
    return Standing(
        rung=rung.name,
        deep=isinstance(rung, Trained),
        dummy=rung.name in DUMMIES,
        goodness=metric.sign * row["score"],
        worse=best["worse"] or 0.0,
        equal=best["equal"] or 0.0,
        better=best["better"] or 0.0,
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
