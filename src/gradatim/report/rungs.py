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
    source: str
    deviations: tuple[str, ...]
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
        return [_listed(rung, evidence.metric) for rung in rows]
    if evidence.fit:
        return [_listed({**evidence.fit, **_single(evidence)}, evidence.metric)]
    asked = evidence.question.get("names") or []
    names = [name for name in asked if name in evidence.fits]
    names += [name for name in evidence.fits if name not in names]
    return [_listed(_fitted(evidence, name), evidence.metric) for name in names]


def _listed(rung: dict[str, Any], metric: str) -> RungRow:
    scores = rung.get("scores") or {}
    names = sorted(map(text, scores), key=lambda name: name != metric)
    notes = [text(note) for note in (rung.get("note"), *(rung.get("notes") or []))]
    return RungRow(
        name=text(rung.get("name")),
        idea=text(rung.get("idea")),
        status=text(rung.get("status")) or "ok",
        score=number(rung.get("score")),
        low=number(rung.get("low")),
        high=number(rung.get("high")),
        folds=tuple(number(value) for value in rung.get("fold_scores") or []),
        scores={name: number(scores.get(name)) for name in names},
        costs={name: number(rung.get(name)) for name in (*COSTS, "bytes")},
        reason=text(rung.get("reason")),
        remedy=text(rung.get("remedy")),
        notes=tuple(dict.fromkeys(note for note in notes if note)),
        source=text(rung.get("source")),
        deviations=tuple(map(text, rung.get("deviations") or [])),
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


def _single(evidence: Evidence) -> dict[str, Any]:
    """Return what a run of one rung says beyond its fit.json: the test scores, if it was opened."""
    scores = {name: evidence.test.get(name) for name in ("score", "low", "high", "scores")}
    seconds = evidence.fit.get("seconds")
    return {"name": evidence.fit.get("rung"), "fit_seconds": seconds, **scores}


def _fitted(evidence: Evidence, name: str) -> dict[str, Any]:
    """Return the line that a leaderboard would have, from the finished fits alone."""
    done = {key: fit_result(folder) for key, folder in sorted(evidence.fits[name].items())}
    asked = sorted({key for fits in evidence.fits.values() for key in fits})
    results = list(done.values())
    failures = [result["failed"] for result in results if result.get("failed")]
    metrics = {key for result in results for key in result.get("scores") or {}}
    means = {key: _mean([_score(r, key) for r in results]) for key in sorted(metrics)}
    measured = [r["costs"] for r in results if isinstance(r.get("costs"), dict)]
    return {
        **(measured[0] if measured else {}),
        "name": name,
        "status": "ok" if means else "failed",
        "score": means.get(evidence.metric or next(iter(means), "")),
        "fold_scores": [_score(done.get(key, {}), evidence.metric) for key in asked],
        "scores": means,
        "fit_seconds": _mean([number(result.get("fit_seconds")) for result in results]),
        "reason": failures[0] if failures else None,
        "note": f"{len(done)} of {len(asked)} folds are finished"
        if len(done) < len(asked)
        else None,
        "notes": [result.get("note") for result in results],
    }


def _score(result: dict[str, Any], metric: str) -> float | None:
    return number((result.get("scores") or {}).get(metric))


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
