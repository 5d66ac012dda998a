"""One page of all results: `goal, measured, reached` of every NAME.json, then every contender."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Facts = dict[str, Any]


def page(folder: Path) -> str:
    """Return the page, in Markdown.

    Args:
        folder: of the JSON files; a goal is a record with `goal`, `reached` and `measured` (or
            `error`), wherever it stands in a file.
    """
    files = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    goals = [(name, goal) for name, facts in files.items() for goal in _goals(facts)]
    reached = sum(bool(goal["reached"]) for _, goal in goals)
    lines = [
        "# Goals and what was measured",
        "",
        f"{reached} of {len(goals)} goals reached. Made by `make bench` from the JSON files here,",
        "which hold every contender's median and spread. Ratios compare medians of one run, taken",
        "in turn; differences below 15 % are noise.",
        "",
        "| file | goal | measured | unit | reached |",
        "|---|---|---|---|---|",
    ]
    lines += [_line(name, goal) for name, goal in goals]
    for name, facts in files.items():
        lines += _chapter(name, facts, drawn=(folder / f"{name}.svg").exists())
    return "\n".join(lines) + "\n"


def _goals(facts: Any, inherited: str = "") -> Iterator[Facts]:
    """Yield the goals of a file, at whatever depth; the name of what holds them goes before."""
    if isinstance(facts, list):
        for part in facts:
            yield from _goals(part, inherited)
    if not isinstance(facts, dict):
        return
    name = str(facts.get("name", inherited))
    if "goal" in facts and "reached" in facts:
        if facts["goal"] is not None:
            measured = facts.get("measured", facts.get("error"))
            goal = facts["goal"] if "measured" in facts else f"error <= {facts['goal']} %"
            text = f"{name}: {goal}" if name else str(goal)
            yield facts | {"goal": text, "measured": measured}
        return
    for key, part in facts.items():
        named = isinstance(part, dict) and "goal" in part
        yield from _goals(part, key if named else name)


def _line(name: str, goal: Facts) -> str:
    measured = goal["measured"]
    said = goal.get("reason", "not measured") if measured is None else _number(measured)
    reached = "yes" if goal["reached"] else "**no**"
    unit = goal.get("unit", "")
    if goal.get("in_a_climb") is not None:
        unit += f" (in a climb {_number(goal['in_a_climb'])})"
    return f"| [{name}]({name}.json) | {goal['goal']} | {said} | {unit} | {reached} |"


def _chapter(name: str, facts: Facts, *, drawn: bool) -> list[str]:
    """Return the tables of contenders of a file that has some, and its picture."""
    races = facts.get("races", {}) if isinstance(facts, dict) else {}
    if not races and not drawn:
        return []
    how = f"`{facts['command']}`, {facts['date']}, {facts['machine']}."
    lines = ["", f"## {name}", "", how, ""]
    for title, race in races.items():
        lines += [f"**{title}.** {race.get('work', '')}", ""]
        lines += ["| contender | median, s | least to most, s | score | rounds |"]
        lines += ["|---|---|---|---|---|"]
        for contender, found in race["contenders"].items():
            lines.append(_contender(contender, found))
        lines.append("")
    if drawn:
        lines += [f"![{name}]({name}.svg)", ""]
    return lines[:-1]


def _contender(name: str, found: Facts) -> str:
    if "median" not in found:
        return f"| {name} | | {found.get('failed', 'not run')} | | |"
    low, high = (_number(value) for value in found["spread"])
    score = "" if found.get("score") is None else f"{found['score']:.4f}"
    score += f", {found['epochs']} epochs" if "epochs" in found else ""
    return (
        f"| {name} | {_number(found['median'])} | {low} to {high} | {score} | {found['rounds']} |"
    )


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
