"""The verdict, written out: the first thing a reader sees, also when a climb was cut short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradatim.report.evidence import Evidence, entries, number, text
from gradatim.report.rungs import RungRow
from gradatim.report.words import count, duration, score

__all__ = ["Verdict", "direction_is_up", "verdict"]

DEEP = {
    "pays": "pays",
    "does not pay": "does not pay",
    "unclear": "unclear",
    "not tried": "not tried",
}


@dataclass(frozen=True)
class Verdict:
    """Headline, reason, the test score and the key numbers."""

    rung: str
    headline: str
    reason: str
    clear: bool
    finished: bool
    test: str
    test_interval: str
    test_note: str
    cards: tuple[tuple[str, str], ...]


def direction_is_up(evidence: Evidence) -> bool:
    """Tell whether a higher score is better."""
    lower = {"log_loss", "brier", "rmse", "mae", "ece"}
    named = evidence.leaderboard.get("direction")
    return named == "higher" if named in ("higher", "lower") else evidence.metric not in lower


def verdict(evidence: Evidence, rows: Sequence[RungRow]) -> Verdict:
    """Return what the run says in a sentence, and what it was."""
    said = evidence.leaderboard.get("verdict") or {}
    tried = [row.name for row in rows if row.tried]
    rung = text(said.get("rung")) or (tried[0] if len(tried) == 1 else "")
    test = _test(evidence)
    low, high = number(test.get("low")), number(test.get("high"))
    interval = f"95 % interval {_s(evidence, low)} to {_s(evidence, high)}"
    finished = bool(said) or (bool(evidence.leaderboard) and len(tried) == 1)
    return Verdict(
        rung=rung,
        headline=text(said.get("headline")) or _headline(evidence, rows, rung),
        reason=text(said.get("reason")) or _reason(tried, finished),
        clear=bool(said.get("clear")),
        finished=finished,
        test=_s(evidence, number(test.get("score"))) if test else "",
        test_interval=interval if low is not None and high is not None else "",
        test_note=_opened(number(test.get("openings")) or 1.0) if test else "",
        cards=tuple(_cards(evidence, rows, said)),
    )


def _s(evidence: Evidence, value: float | None) -> str:
    return score(value, evidence.metric)


def _test(evidence: Evidence) -> Mapping[str, Any]:
    test = evidence.leaderboard.get("test")
    if isinstance(test, dict):
        return test
    openings = entries(evidence.document("evaluation.json").get("openings"))
    return {**openings[-1], "openings": len(openings)} if openings else {}


def _opened(times: float) -> str:
    if times <= 1:
        return "The sealed test split was opened once."
    return f"The test split was opened {times:.0f} times: it is no longer blind."


def _headline(evidence: Evidence, rows: Sequence[RungRow], rung: str) -> str:
    found = next((row for row in rows if row.name == rung and row.tried), None)
    if found:
        value = f"{evidence.metric} {_s(evidence, found.score)}".strip()
        return f"{rung} alone was fitted: {value}"
    return "No verdict: this climb was cut short" if not rows or not evidence.leaderboard else (
        "No rung of the ladder gave a score"
    )


def _reason(tried: Sequence[str], finished: bool) -> str:
    if finished or len(tried) == 1:
        return "With one rung there is nothing to compare; climb the ladder to learn which pays."
    if not tried:
        return "No fit was finished; go on with `gradatim resume`."
    return f"{len(tried)} rungs have scores so far; go on with `gradatim resume` for a verdict."


def _cards(
    evidence: Evidence, rows: Sequence[RungRow], said: Mapping[str, Any]
) -> list[tuple[str, str]]:
    board = evidence.leaderboard
    folds, repeats = number(board.get("folds")), number(board.get("repeats"))
    times = f" × {repeats:.0f}" if repeats and repeats > 1 else ""
    train, test = number(board.get("train_rows")), number(board.get("test_rows"))
    sealed = f"{count(train)} + {count(test)} sealed" if train and test else ""
    cards = [
        ("data", text(board.get("data") or evidence.question.get("data"))),
        ("task", evidence.task),
        ("metric", evidence.metric.replace("_", " ")),
        ("rows", sealed or count(number(board.get("rows") or evidence.inspection.get("rows")))),
        ("rungs with a score", str(sum(row.tried for row in rows))),
        ("folds", f"{folds:.0f}{times}" if folds else ""),
        ("deep networks", DEEP.get(text(said.get("deep")), "")),
        ("time", duration(number(board.get("seconds")))),
        ("split", text(board.get("split_hash") or evidence.question.get("split_hash"))[:12]),
    ]
    return [(name, value) for name, value in cards if value and value != "–"]
