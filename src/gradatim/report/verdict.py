"""The verdict, written out: the first thing a reader sees, also when a climb was cut short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradatim.report.evidence import Evidence, number, text
from gradatim.report.rungs import RungRow
from gradatim.report.words import count, duration, score

__all__ = ["Verdict", "direction_is_up", "verdict"]


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
    lower = {"log_loss", "brier", "rmse", "mae", "ece", "nats_per_character", "perplexity"}
    lower |= {"bits_per_character", "bits_per_dim", "frechet", "kernel"}
    named = evidence.fact("direction")
    return named == "higher" if named in ("higher", "lower") else evidence.metric not in lower


def verdict(evidence: Evidence, rows: Sequence[RungRow]) -> Verdict:
    """Return what the run says in a sentence, and what it was."""
    said = evidence.leaderboard.get("verdict") or {}
    tried = [row.name for row in rows if row.tried]
    rung = text(said.get("rung") or evidence.fit.get("rung"))
    test = evidence.test
    low, high = number(test.get("low")), number(test.get("high"))
    interval = f"95% interval {_s(evidence, low)} to {_s(evidence, high)}"
    finished = bool(said or evidence.fit)
    return Verdict(
        rung=rung,
        headline=text(said.get("headline")) or _headline(evidence, rung, tried),
        reason=text(said.get("reason")) or _reason(evidence, tried),
        clear=bool(said.get("clear")),
        finished=finished,
        test=_s(evidence, number(test.get("score"))) if test else "",
        test_interval=interval if low is not None and high is not None else "",
        test_note=_opened(number(test.get("openings")) or 1.0) if test else "",
        cards=tuple(_cards(evidence, rows, said)),
    )


def _s(evidence: Evidence, value: float | None) -> str:
    return score(value, evidence.metric)


def _opened(times: float) -> str:
    if times <= 1:
        return "The sealed test split was opened once."
    return f"The test split was opened {times:.0f} times: it is no longer blind."


def _headline(evidence: Evidence, rung: str, tried: Sequence[str]) -> str:
    if evidence.fit:
        return f"{rung}, fitted alone on {evidence.name}"
    if evidence.leaderboard:
        return "No rung is named: the leaderboard has no verdict"
    return "No verdict yet" if tried else "Nothing was finished yet"


def _reason(evidence: Evidence, tried: Sequence[str]) -> str:
    if evidence.fit and not evidence.test:
        return "The sealed test split is unopened; “gradatim evaluate” opens it."
    if evidence.fit:
        return "With one rung there is nothing to compare; “gradatim climb” tells which rung pays."
    scores = "scores" if len(tried) != 1 else "a score"
    return f"{len(tried)} rungs have {scores} so far; “gradatim resume” goes on to a verdict."


def _cards(
    evidence: Evidence, rows: Sequence[RungRow], said: Mapping[str, Any]
) -> list[tuple[str, str]]:
    folds, repeats = number(evidence.fact("folds")), number(evidence.fact("repeats"))
    times = f" × {repeats:.0f} repeats" if repeats and repeats > 1 else ""
    train, test = number(evidence.fact("train_rows")), number(evidence.fact("test_rows"))
    sealed = f"{count(train)} + {count(test)} sealed" if train and test else ""
    tried = sum(row.tried for row in rows)
    cards = [
        ("data", evidence.name),
        ("task", ", ".join(word for word in (evidence.task, _plain(evidence.metric)) if word)),
        ("rows", sealed or count(number(evidence.fact("rows") or evidence.inspection.get("rows")))),
        ("ladder", f"{tried} rungs, {folds:.0f} folds{times}" if folds and tried else ""),
        ("deep networks", text(said.get("deep"))),
        ("time", duration(number(evidence.fact("seconds")))),
        ("split", text(evidence.fact("split_hash"))[:10]),
    ]
    return [(name, value) for name, value in cards if value and value != "–"]


def _plain(metric: str) -> str:
    return metric.replace("_", " ")
