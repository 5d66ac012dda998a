"""How a play goes on, character by character: `python bench/text.py [RUNG ...]`.

Every rung is fitted with its default recipe by `gradatim fit` to the first 90 % of tinyshakespeare
and scored by `gradatim evaluate` on its last 10 %, 111,540 characters read in one go, from the
first to the last. One thread. Reads the data below the folder in GRADATIM_DATA and writes
bench/results/text.json and text.md; rungs that are not named keep the lines they have. Networks are
held against the better n-grams on the same passages; runs are kept below the folder in RUNS, where
that is set. Nothing was chosen on the last 10 %: recipes were found on the 80 and the 10 before it.
"""

import json
import os
import resource
import sys
from pathlib import Path
from time import monotonic
from typing import Any

from _product import ending, gradatim, stamp, tabled

RESULTS = Path(__file__).parent / "results"
RUNGS = ("unigram", "ngram", "kneser_ney", "rnn", "lstm", "gru", "decoder")
QUOTED, CLASSICAL, NETWORKS = "ngram", "kneser_ney", RUNGS[3:]
REFERENCE, MINUTES = 1.698, 15.0
"""Nats a character of a 6-gram after Witten and Bell, measured with other code; the time given."""
COLUMNS = ("rung", "nats", "95 % interval", "fewer by", "bits", "perplexity", "parameters")
COLUMNS += ("epochs", "minutes", "of a core", "seconds")

Line = dict[str, Any]


def main() -> int:
    """Fit what is asked for, write the results, return how many goals are missed."""
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return tabled("text", RUNGS, _fit, _goals, _page)


def _fit(name: str, root: str, work: Path, before: Line) -> Line:
    asked, run, rival = f"{root}/text/tinyshakespeare.txt --rung {name}", work / name, CLASSICAL
    begun, fresh = _processor_seconds(), not (run / "complete.json").is_file()
    if fresh:
        gradatim("fit", *asked.split(), "--out", str(run), "--json")
    processor = _processor_seconds() - begun
    fit = json.loads((run / "fit.json").read_text())
    beside = ["--against", str(work / rival)] if (work / rival).is_dir() and name != rival else []
    begun = monotonic()
    test = gradatim("evaluate", str(run), *beside, "--json")
    seconds = monotonic() - begun
    scores = {key: round(score, 4) for key, score in test["scores"].items()}
    sys.stdout.write(f"{name}: {scores} after {fit['seconds'] / 60:.1f} minutes\n")
    sys.stdout.flush()
    return {
        "command": f"gradatim fit {asked}".replace(root, "DATA"),
        "scores": scores,
        "interval": [test["low"], test["high"]],
        "against": test.get("against", {}) | {"run": ""},
        "parameters": fit["parameters"],
        "rows": fit["train_rows"],
        "test_rows": test["rows"],
        "epochs": fit.get("epochs"),
        "seconds": round(fit["seconds"], 1),
        "processor_seconds": round(processor, 1) if fresh else before.get("processor_seconds"),
        "seconds_to_evaluate": round(seconds, 1),
        **stamp(),
    }


def _processor_seconds() -> float:
    """Return what all commands so far took of a core; on a busy machine the clock says more."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _minutes(line: Line) -> float:
    """Return what fitting took of a core; by the clock, where that is not known."""
    return float(line.get("processor_seconds") or line["seconds"]) / 60


def _goals(fits: dict[str, Line]) -> list[Line]:
    """Return what is asked for, as far as the fits are there to say."""
    goals = []
    for name in (QUOTED, *NETWORKS):
        if name not in fits:
            continue
        nats = fits[name]["scores"]["nats_per_character"]
        if name == QUOTED:
            goal = f"{name} within 0.002 of {REFERENCE} nats a character"
            goals.append(_goal(goal, nats, abs(nats - REFERENCE) <= 0.002))
            continue
        minutes = _minutes(fits[name])
        goal = f"{name} below {REFERENCE} nats a character, fitted in {MINUTES:g} minutes of a core"
        reached = nats < REFERENCE and minutes <= MINUTES
        goals.append(_goal(goal, f"{nats} after {minutes:.1f}", reached))
    return goals


def _goal(goal: str, measured: object, reached: bool) -> Line:
    return {"goal": goal, "measured": measured, "reached": reached}


def _page(facts: Line) -> str:
    lines = [
        "# Modelling text: tinyshakespeare",
        "",
        "Scores on the last 10 % of the characters after fits to the others, each rung with its",
        "default recipe and one thread. Minutes to fit: by the clock, on a machine that others",
        "used too, and of a core. Seconds to evaluate, with all that a process takes to begin.",
        "Fewer by: nats below those of kneser_ney for the same passages, 95 % interval of a",
        "paired bootstrap.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
    ]
    lines += [_row(name, line) for name, line in facts["fits"].items()]
    return "\n".join(lines) + "\n" + ending("text", facts)


def _row(name: str, line: Line) -> str:
    nats, bits, perplexity = line["scores"].values()
    (low, high), pair = line["interval"], line["against"]
    beside = f"{pair['low']:+.3f} to {pair['high']:+.3f}" if "low" in pair else ""
    core = line.get("processor_seconds")
    of_a_core = f"{core / 60:.1f}" if core else ""
    return (
        f"| {name} | {nats:.4f} | {low:.3f} to {high:.3f} | {beside} | {bits:.3f} "
        f"| {perplexity:.2f} | {line['parameters']:,} | {line['epochs'] or ''} "
        f"| {line['seconds'] / 60:.1f} | {of_a_core} "
        f"| {line['seconds_to_evaluate']:.0f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
