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
    names = ("seed", "folds", "repeats", "rope", "split_hash", "fingerprint")
    found = {name: evidence.fact(name) for name in names}
    asked = {name: value for name, value in evidence.question.items() if name not in names}
    recipes = asked.pop("recipes", {})
    lines = flat(asked, write=_setting) + _recipes(recipes if isinstance(recipes, dict) else {})
    return Reproduction(
        command=text(evidence.fact("command")),
        identity=tuple(flat(found, write=_setting)),
        environment=tuple(flat(evidence.environment, write=_setting)),
        question=tuple(lines[:LINES]),
        hidden=max(0, len(lines) - LINES),
    )


def _recipes(recipes: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the settings of all rungs, one line a setting: its usual value, then who differs."""
    by_setting: dict[str, dict[str, list[str]]] = {}
    for rung, recipe in recipes.items():
        for name, value in flat(recipe if isinstance(recipe, dict) else {}, write=_setting):
            by_setting.setdefault(name, {}).setdefault(value, []).append(text(rung))
    return [(f"recipe.{name}", _usual(values)) for name, values in by_setting.items()]


def _usual(values: dict[str, list[str]]) -> str:
    usual, *others = sorted(values, key=lambda value: -len(values[value]))
    return "; ".join([usual, *(f"{value} for {', '.join(values[value])}" for value in others)])


def _setting(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else text(value)
