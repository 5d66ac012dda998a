"""Goals, and the files that say whether they were reached."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contest import page

RESULTS = Path(__file__).parents[1] / "results"
TRIALS = Path(__file__).parents[2] / ".benchmarks"
"""Where results of `--quick` go: they prove that the code works and say nothing about speed."""

Facts = dict[str, Any]
OURS = "gradatim"


def quick() -> bool:
    """Read the command line of a benchmark: nothing but --quick."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--quick", action="store_true", help="a trial: small work, .benchmarks/")
    return bool(parser.parse_args().quick)


def ratio(
    text: str,
    factor: float,
    contenders: Mapping[str, Facts],
    peers: Sequence[str],
    ours: str = OURS,
) -> Facts:
    """Return a goal: ours is at least `factor` times as fast as the fastest of these peers."""
    goal: Facts = {"goal": f"{text} >= {factor:g}x {_named(peers)}", "unit": "times as fast"}
    missing = [p for p in (ours, *peers) if "median" not in contenders.get(p, {})]
    if ours in missing or len(missing) == len(peers):
        reasons = [f"{p}: {contenders.get(p, {}).get('failed', 'not run')}" for p in missing]
        return goal | {"measured": None, "reached": False, "reason": "; ".join(reasons)}
    fastest = min(contenders[p]["median"] for p in peers if p not in missing)
    measured = fastest / contenders[ours]["median"]
    goal |= {"measured": round(measured, 2), "reached": measured >= factor}
    return goal | ({"without": missing} if missing else {})


def _named(peers: Sequence[str]) -> str:
    return peers[0] if len(peers) == 1 else f"the fastest of {', '.join(peers)}"


def publish(name: str, facts: Facts, *, trial: bool) -> None:
    """Write NAME.json and the page of all results, and say how the goals came out.

    Args:
        name: of the file.
        facts: `goals`, a list, and whatever else a reader wants to know.
        trial: whether this was --quick.
    """
    folder = TRIALS if trial else RESULTS
    folder.mkdir(exist_ok=True)
    head = {
        "command": f"python bench/{name}.py" + (" --quick" if trial else ""),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.platform()}",
    }
    (folder / f"{name}.json").write_text(json.dumps(head | facts, indent=1) + "\n")
    (folder / "README.md").write_text(page.page(folder))
    for goal in facts["goals"]:
        reached = "reached" if goal["reached"] else "NOT reached"
        why = f" ({goal['reason']})" if "reason" in goal else ""
        sys.stdout.write(f"{goal['goal']}: {goal['measured']}, {reached}{why}\n")
