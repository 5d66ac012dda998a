"""The ladder of masks on electron microscopy: `python bench/segment.py [RUNG ...]`.

Climbs membrane (ISBI 2012, 30 pictures of 512 x 512) below the folder in GRADATIM_DATA, five folds
over the pictures that are not sealed, and writes bench/results/segment.json and segment.md. The
goal: the U-Net beats the pixel classifier, and the interval of the paired difference of their mean
intersection over union, corrected for folds that share training pictures, excludes zero.
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

from gradatim.ops.paired import corrected_interval

RESULTS = Path(__file__).parent / "results"
DEEP, CLASSICAL = "unet", "pixel_classifier"
FIGURES = ("score", "low", "high", "fold_scores", "fit_seconds", "parameters", "multiply_adds")
OTHERS = ("miou", "dice", "pixel_accuracy")


def main() -> int:
    """Climb, write the results, return how many goals are missed."""
    root = os.environ.get("GRADATIM_DATA")
    if root is None:
        sys.stdout.write("skipped: no data; set GRADATIM_DATA to the folder that holds it\n")
        return 0
    chosen = ["--rungs", ",".join(sys.argv[1:])] if sys.argv[1:] else []
    asked = ["climb", f"{root}/membrane", "--task", "segment", *chosen]
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        command = [sys.executable, "-m", "gradatim", *asked, "--json"]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.monotonic() - start
    board = json.loads(done.stdout)
    facts = _facts(board) | {
        "command": " ".join(["gradatim", *asked]).replace(root, "DATA"),
        "seconds": round(seconds, 1),
        **stamp(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "segment.json").write_text(json.dumps(facts, indent=1) + "\n")
    (RESULTS / "segment.md").write_text(_page(facts))
    sys.stdout.write(f"{facts['goal']}: {facts['difference']}\n")
    return int(not facts["reached"])


def _facts(board: dict[str, Any]) -> dict[str, Any]:
    """Return the scores of every rung, and the paired difference that the goal is about."""
    rows = {row["name"]: row for row in board["rungs"] if row["status"] == "ok"}
    scores = {
        name: {key: row[key] for key in FIGURES} | {key: row["scores"][key] for key in OTHERS}
        for name, row in rows.items()
    }
    difference = None
    if DEEP in rows and CLASSICAL in rows:
        pairs = zip(rows[DEEP]["fold_scores"], rows[CLASSICAL]["fold_scores"], strict=True)
        folds = [deep - classical for deep, classical in pairs]
        low, high = corrected_interval(folds, 1 / (len(folds) - 1))
        difference = {"mean": sum(folds) / len(folds), "low": low, "high": high, "folds": folds}
    return {
        "goal": f"{DEEP} above {CLASSICAL}, the paired interval excludes 0",
        "difference": difference,
        "reached": difference is not None and difference["low"] > 0,
        "metric": board["metric"],
        "split_hash": board["split_hash"],
        "scores": scores,
        "verdict": board["verdict"],
        "test": board["test"],
    }


def _page(facts: dict[str, Any]) -> str:
    lines = [f"# Segmentation: {facts['date']}", ""]
    lines += [f"`{facts['command']}`, {facts['seconds']} s on {facts['machine']}.", ""]
    if facts["difference"]:
        found = facts["difference"]
        interval = f"{found['mean']:.4f} ({found['low']:.4f} to {found['high']:.4f})"
        reached = "reached" if facts["reached"] else "**not reached**"
        lines += [f"{facts['goal']}: {interval}, {reached}.", ""]
    lines += ["| rung | mean IoU | 95 % interval | Dice | pixels right | fit, s |"]
    lines += ["|---|---|---|---|---|---|"]
    lines += [
        f"| {name} | {s['score']:.4f} | {s['low']:.4f} to {s['high']:.4f} | {s['dice']:.4f} | "
        f"{s['pixel_accuracy']:.4f} | {s['fit_seconds']:.1f} |"
        for name, s in facts["scores"].items()
    ]
    lines += ["", f"{facts['verdict']['headline']}. {facts['verdict']['reason']}", ""]
    if facts["test"]:
        test = facts["test"]
        lines += [
            f"Sealed test pictures: {test['score']:.4f} ({test['low']:.4f} to {test['high']:.4f})."
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
