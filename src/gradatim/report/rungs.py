"""`RungRow`: what the leaderboard says of one rung, with numbers checked; or what its fits say."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradatim.core.errors import CorruptError
from gradatim.report.evidence import Evidence, entries, number, text
from gradatim.runs.files import read_json

__all__ = ["Pair", "RungRow", "fit_result", "rung_rows"]


@dataclass(frozen=True)
class Pair:
    """One rung against another, paired over the folds; positive is better."""

    rung: str
    difference: float
    p: float | None
    p_holm: float | None
    equal: float | None
    better: float | None
    worse: float | None


@dataclass(frozen=True)
class RungRow:
    """One line of the leaderboard."""

    name: str
    idea: str
    status: str
    score: float | None
    low: float | None
    high: float | None
    folds: tuple[float | None, ...]
    scores: Mapping[str, float | None]
    costs: Mapping[str, float | None]
    reason: str
    remedy: str
    notes: tuple[str, ...]
    below: Pair | None
    best: Pair | None

    @property
    def tried(self) -> bool:
        """Tell whether there is a score to show."""
        return self.status == "ok" and self.score is not None


COSTS = ("parameters", "multiply_adds", "fit_seconds", "predict_seconds_1", "predict_seconds_256")


def rung_rows(evidence: Evidence) -> list[RungRow]:
    """Return the rungs in ladder order; without a leaderboard, what the finished fits give."""
    listed = entries(evidence.leaderboard.get("rungs"))
    if listed:
        rows = sorted(listed, key=lambda rung: number(rung.get("place")) or 0.0)
        return [_listed(rung) for rung in rows]
    return [_fitted(evidence, name) for name in evidence.fits]


def _listed(rung: dict[str, Any]) -> RungRow:
    scores = rung.get("scores") or {}
    notes = [text(rung.get("note")), *map(text, rung.get("notes") or [])]
    return RungRow(
        name=text(rung.get("name")),
        idea=text(rung.get("idea")),
        status=text(rung.get("status")) or "ok",
        score=number(rung.get("score")),
        low=number(rung.get("low")),
        high=number(rung.get("high")),
        folds=tuple(number(value) for value in rung.get("fold_scores") or []),
        scores={text(name): number(value) for name, value in scores.items()},
        costs={name: number(rung.get(name)) for name in (*COSTS, "bytes")},
        reason=text(rung.get("reason")),
        remedy=text(rung.get("remedy")),
        notes=tuple(dict.fromkeys(note for note in notes if note)),
        below=_pair(rung.get("below")),
        best=_pair(rung.get("best")),
    )


def _pair(value: Any) -> Pair | None:
    difference = number(value.get("difference")) if isinstance(value, dict) else None
    if difference is None:
        return None
    names = ("p", "p_holm", "equal", "better", "worse")
    return Pair(text(value.get("rung")), difference, *(number(value.get(name)) for name in names))


def fit_result(folder: Path) -> dict[str, Any]:
    """Return the result.json of one fit."""
    result = read_json(folder / "result.json")
    if not isinstance(result, dict):
        raise CorruptError(f"{folder / 'result.json'} holds no JSON object; restore it")
    return result


def _fitted(evidence: Evidence, name: str) -> RungRow:
    results = [fit_result(folder) for _, folder in sorted(evidence.fits[name].items())]
    failures = [text(result["failed"]) for result in results if result.get("failed")]
    metrics = {key for result in results for key in result.get("scores") or {}}
    means = {key: _mean([_score(r, key) for r in results]) for key in sorted(metrics)}
    metric = evidence.metric or next(iter(means), "")
    seconds = _mean([number(result.get("fit_seconds")) for result in results])
    return RungRow(
        name=name,
        idea="",
        status="ok" if means else "failed",
        score=means.get(metric),
        low=None,
        high=None,
        folds=tuple(_score(result, metric) for result in results),
        scores=means,
        costs={**dict.fromkeys((*COSTS, "bytes")), "fit_seconds": seconds},
        reason=failures[0] if failures else "",
        remedy="",
        notes=tuple(dict.fromkeys(text(r["note"]) for r in results if r.get("note"))),
        below=None,
        best=None,
    )


def _score(result: dict[str, Any], metric: str) -> float | None:
    return number((result.get("scores") or {}).get(metric))


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
