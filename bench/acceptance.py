"""What the first release must show, measured on real data: `python bench/acceptance.py`.

Reads the data below the folder in GRADATIM_DATA (see its README for licences) and writes
bench/results/acceptance.json and acceptance.md. Climbs go to a temporary folder.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _product import stamp

RESULTS = Path(__file__).parent / "results"

# name, arguments of `gradatim climb` ({data}: the data folder), [(rung, at least or at most, goal)]
CLIMBS: list[tuple[str, str, list[tuple[str, str, float]]]] = [
    (
        "digits",
        "digits",
        [
            ("logistic", ">=", 0.955),
            ("svm", ">=", 0.985),
            ("mlp", ">=", 0.970),
            ("lenet5", ">=", 0.985),
        ],
    ),
    (
        "concrete",
        "{data}/tables/concrete.csv --target compressive_strength",
        [
            ("linear", ">=", 9.8),
            ("linear", "<=", 10.8),
            ("boosted_trees", "<=", 4.8),
            ("mlp", "<=", 5.8),
        ],
    ),
    (
        "satellite",
        "{data}/tables/satellite.csv --target classes",
        [("svm", ">=", 0.90), ("mlp", ">=", 0.89)],
    ),
    (
        "credit_data",
        "{data}/tables/credit_data.csv --target Status --metric auc",
        [("logistic", ">=", 0.81)],
    ),
    ("sonar", "{data}/tables/sonar.csv --target Class", []),
    ("spam7", "{data}/tables/spam7.csv --target yesno", []),
    (
        "mnist, 10,000 rows",
        "mnist:{data}/mnist --rows 10000 --without boosted_trees,resnet_small",
        [("lenet5", ">=", 0.975)],
    ),
]


def main() -> int:
    """Climb everything, write the results, return how many goals were missed."""
    root = os.environ.get("GRADATIM_DATA")
    if root is None:
        sys.stdout.write("skipped: no data; set GRADATIM_DATA to the folder that holds it\n")
        return 0
    chosen = [c for c in CLIMBS if not sys.argv[1:] or c[0].split(",")[0] in sys.argv[1:]]
    results = [_climb(name, arguments, goals, root) for name, arguments, goals in chosen]
    facts = {
        "command": "GRADATIM_DATA=... python bench/acceptance.py",
        **stamp(),
        "climbs": results,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "acceptance.json").write_text(json.dumps(facts, indent=1) + "\n")
    (RESULTS / "acceptance.md").write_text(_page(facts))
    return sum(not goal["reached"] for result in results for goal in result["goals"])


def _climb(
    name: str, arguments: str, goals: list[tuple[str, str, float]], root: str
) -> dict[str, Any]:
    command = [sys.executable, "-m", "gradatim", "climb", *arguments.format(data=root).split()]
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        done = subprocess.run(
            [*command, "--json"], cwd=folder, capture_output=True, text=True, check=True
        )
        seconds = time.monotonic() - start
    board = json.loads(done.stdout)
    scores = {row["name"]: row for row in board["rungs"] if row["status"] == "ok"}
    checked = [
        {
            "goal": f"{rung} {sign} {goal}",
            "measured": scores[rung]["score"],
            "reached": (scores[rung]["score"] >= goal) == (sign == ">="),
            "unit": board["metric"],
        }
        for rung, sign, goal in goals
    ]
    if name.startswith("mnist"):
        above = scores["lenet5"]["score"] - scores["svm"]["score"]
        checked.append(
            {
                "goal": "lenet5 above svm",
                "measured": above,
                "reached": above > 0,
                "unit": "accuracy",
            }
        )
    sys.stdout.write(f"{name}: {seconds:.0f} s, {[g['reached'] for g in checked]}\n")
    return {
        "name": name,
        "command": f"gradatim climb {arguments.format(data='DATA')}",
        "seconds": round(seconds, 1),
        "metric": board["metric"],
        "split_hash": board["split_hash"],
        "goals": checked,
        "scores": {rung: _figures(row) for rung, row in scores.items()},
        "verdict": board["verdict"],
        "test": board["test"],
    }


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("score", "low", "high", "fit_seconds", "parameters")
    return {key: row[key] for key in keys}


def _page(facts: dict[str, Any]) -> str:
    lines = [
        f"# Acceptance: {facts['date']}",
        "",
        f"`{facts['command']}` on {facts['machine']}.",
        "",
    ]
    for climb in facts["climbs"]:
        lines += [f"## {climb['name']}", "", f"`{climb['command']}`, {climb['seconds']} s", ""]
        lines += [f"| goal | measured ({climb['metric']}) | reached |", "|---|---|---|"]
        lines += [
            f"| {g['goal']} | {g['measured']:.4f} | {'yes' if g['reached'] else '**no**'} |"
            for g in climb["goals"]
        ]
        lines += ["", f"| rung | {climb['metric']} | 95 % interval | fit, s |", "|---|---|---|---|"]
        lines += [
            f"| {name} | {s['score']:.4f} | {s['low']:.4f} to {s['high']:.4f} | "
            f"{s['fit_seconds']:.2f} |"
            for name, s in climb["scores"].items()
        ]
        test = climb["test"]
        lines += ["", f"{climb['verdict']['headline']}. {climb['verdict']['reason']}", ""]
        lines += [
            f"Sealed test split: {test['score']:.4f} ({test['low']:.4f} to {test['high']:.4f})."
        ]
        lines += [""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
