"""What benches that run the product share: its commands, tables of fits, where and when it was."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
Line = dict[str, Any]


def gradatim(*arguments: str) -> dict[str, Any]:
    """Run a command; return what it prints as JSON."""
    tool = [sys.executable, "-m", "gradatim"]
    said = subprocess.run([*tool, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(said.stdout)


def stamp() -> dict[str, str]:
    """Return the date and the machine."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.platform()}",
    }


def tabled(
    name: str,
    rungs: Iterable[str],
    fit: Callable[[str, str, Path, Line], Line],
    goals: Callable[[dict[str, Line]], list[Line]],
    page: Callable[[Line], str],
) -> int:
    """Fit what is asked for; write results/NAME.json and NAME.md after each, keeping other lines.

    Args:
        name: of the bench.
        rungs: in the order of the table; those that sys.argv names are fitted, by default all.
        fit: makes the line of a rung from its name, the folder with the data, the folder for runs,
            and the line that it had.
        goals: what is asked for, from the lines that are there.
        page: the table for people.

    Returns:
        How many goals are missed.
    """
    root = os.environ.get("GRADATIM_DATA")
    if root is None:
        sys.stdout.write("skipped: no data; set GRADATIM_DATA to the folder that holds it\n")
        return 0
    order, file = list(rungs), RESULTS / f"{name}.json"
    kept: dict[str, Line] = json.loads(file.read_text())["fits"] if file.exists() else {}
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(os.environ.get("RUNS", temporary))
        for rung in sys.argv[1:] or order:
            kept[rung] = fit(rung, root, work, kept.get(rung, {}))
            fits = {key: kept[key] for key in order if key in kept}
            facts = {"fits": fits, "goals": goals(fits)}
            RESULTS.mkdir(exist_ok=True)
            file.write_text(json.dumps(facts, indent=1) + "\n")
            file.with_suffix(".md").write_text(page(facts))
    return sum(not goal["reached"] for goal in goals(kept))


def ending(name: str, facts: Line) -> str:
    """Return the end of a page: goals, when and where it was measured, and each command."""
    lines = ["", "| goal | measured | reached |", "|---|---|---|"]
    lines += [
        f"| {goal['goal']} | {goal['measured']} | {'yes' if goal['reached'] else '**no**'} |"
        for goal in facts["goals"]
    ]
    machines = sorted({(line["date"], line["machine"]) for line in facts["fits"].values()})
    lines += ["", *(f"Measured {date} on {machine}." for date, machine in machines)]
    asked = f"`GRADATIM_DATA=... python bench/{name}.py`"
    lines += [f"Command: {asked}; each fit as its line says:", ""]
    lines += [f"- {rung}: `{line['command']}`" for rung, line in facts["fits"].items()]
    return "\n".join(lines) + "\n"
