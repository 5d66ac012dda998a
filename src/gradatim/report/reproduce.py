"""How to do it again: the command, the seeds and hashes, the versions and the machine."""

from dataclasses import dataclass
from typing import Any

from gradatim.report.evidence import Evidence, text
from gradatim.report.findings import flat

__all__ = ["Reproduction", "reproduction"]

LINES = 80


@dataclass(frozen=True)
class Reproduction:
    """What is needed to get the same numbers."""

    command: str
    identity: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]
    question: tuple[tuple[str, str], ...]
    hidden: int


def reproduction(evidence: Evidence) -> Reproduction:
    """Return command, identity, environment and every setting."""
    board, question = evidence.leaderboard, evidence.question
    command = text(board.get("command"))
    names = ("seed", "split_hash", "fingerprint", "version", "rope", "folds", "repeats")
    found = {name: board.get(name, question.get(name)) for name in names}
    asked = {name: value for name, value in question.items() if name not in names}
    lines = flat(asked, write=_setting)
    return Reproduction(
        command=command,
        identity=tuple(flat(found, write=_setting)),
        environment=tuple(flat(evidence.environment, write=_setting)),
        question=tuple(lines[:LINES]),
        hidden=max(0, len(lines) - LINES),
    )


def _setting(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else text(value)
