"""Boxes around blood cells: `python bench/detect.py [RUNG ...]`.

Every rung is fitted with its default recipe by `gradatim fit` to the train and val lists of BCCD
(292 photographs) and scored by `gradatim evaluate` on its test list (72). Reads the data below the
folder in GRADATIM_DATA and writes bench/results/detect.json and detect.md; rungs that are not named
keep the lines they have. One fit at a time, as many threads as the machine has cores. CenterNet is
held against the best classical rung on the same pictures; runs are kept below the folder in RUNS,
where that is set.
"""

import json
import sys
from pathlib import Path
from typing import Any

from _product import ending, gradatim, stamp, tabled

RESULTS = Path(__file__).parent / "results"
RUNGS = ("watershed", "hog_windows", "centernet", "fcos")
SCORES = ("ap", "ap50", "ap75", "ar", "f1")
CLASSICAL, DEEP, LEAST, MINUTES = "watershed", "centernet", {"ap50": 0.75, "ap": 0.40}, 15.0


def main() -> int:
    """Fit what is asked for, write the results, return how many goals are missed."""
    return tabled("detect", RUNGS, _fit, _goals, _page)


def _fit(name: str, root: str, work: Path, before: dict[str, Any]) -> dict[str, Any]:
    asked, run, rival = f"{root}/bccd --task detect --rung {name}", work / name, work / CLASSICAL
    if not (run / "complete.json").is_file():
        gradatim("fit", *asked.split(), "--out", str(run), "--json")
    fit = json.loads((run / "fit.json").read_text())
    against = ["--against", str(rival)] if name == DEEP and rival.is_dir() else []
    test = gradatim("evaluate", str(run), *against, "--json")
    scores = {key: round(test["scores"][key], 4) for key in SCORES}
    sys.stdout.write(f"{name}: {scores} after {fit['seconds'] / 60:.1f} minutes\n")
    sys.stdout.flush()
    return {
        "command": f"gradatim fit {asked}".replace(root, "DATA"),
        "scores": scores,
        "faster_coco_eval": _by_coco(run),
        "interval": [test["low"], test["high"]],
        "against": test.get("against", {}) | {"run": ""},
        "parameters": fit["parameters"],
        "multiply_adds": fit["multiply_adds"],
        "rows": fit["train_rows"],
        "test_rows": test["rows"],
        "epochs": fit.get("epochs"),
        "seconds": round(fit["seconds"], 1),
        **stamp(),
    }


def _by_coco(run: Path) -> dict[str, float]:
    """Return what faster-coco-eval says of the answers to the test list."""
    import numpy as np

    from gradatim.core.source import ReadOptions
    from gradatim.data.read import read
    from gradatim.ops.detection.coco import coco_numbers
    from gradatim.session.load import load, question_of

    model, _, task = load(run)
    data = read(question_of(run)["data"], ReadOptions(task="detect"))
    samples = data.samples.take(np.load(run / "split.npz")["test"])
    found = coco_numbers(task.answers(model, samples), samples.targets.numpy())
    return {name: round(value, 4) for name, value in found.items()}


def _goals(fits: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is asked for, as far as the fits are there to say."""
    if DEEP not in fits:
        return []
    line = fits[DEEP]
    goals = [
        {
            "goal": f"{DEEP}: {score} on the test list >= {least}",
            "measured": line["scores"][score],
            "reached": line["scores"][score] >= least,
        }
        for score, least in LEAST.items()
    ]
    pair = line["against"]
    if "low" in pair:
        goal = f"{DEEP}: AP above {pair['rung']}'s on the same pictures, lower end of the paired"
        low = round(pair["low"], 4)
        reached = low > 0
        goals.append({"goal": f"{goal} interval > 0", "measured": low, "reached": reached})
    minutes = round(line["seconds"] / 60, 2)
    goal = f"{DEEP} trained in at most {MINUTES:g} minutes"
    return [*goals, {"goal": goal, "measured": minutes, "reached": minutes <= MINUTES}]


def _page(facts: dict[str, Any]) -> str:
    lines = [
        "# Detection: blood cells (BCCD)",
        "",
        "Scores on the 72 photographs of the test list after fits to the other 292, each rung with",
        "its default recipe, no weights of others. The interval is that of AP.",
        "",
        "| rung | AP | 95 % interval | AP50 | AP75 | AR | F1 | parameters | minutes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, line in facts["fits"].items():
        ap, *others = (f"{line['scores'][key]:.3f}" for key in SCORES)
        low, high = line["interval"]
        lines.append(
            f"| {name} | {ap} | {low:.3f} to {high:.3f} | {' | '.join(others)} "
            f"| {line['parameters']:,} | {line['seconds'] / 60:.1f} |"
        )
    return "\n".join(lines) + "\n" + ending("detect", facts)


if __name__ == "__main__":
    sys.exit(main())
