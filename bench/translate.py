"""French to English, sentence by sentence: `python bench/translate.py [RUNG ...]`.

Every rung is fitted with its default recipe by `gradatim fit` to the training and validation part
of multi30k and scored by `gradatim evaluate` on test_2016, 1000 sentences that stay sealed until
then; sacrebleu scores what `gradatim predict` writes for the same sentences once more. One thread.
Reads the data below the folder in GRADATIM_DATA and writes bench/results/translate.json and
translate.md; rungs that are not named keep the lines they have. Each rung is held against the one
before it on the same sentences; runs are kept below the folder in RUNS, where that is set, and a
fit that is there already is not done again. A run needs no more of its data than what it was asked.

What was chosen with what: width and depth of the transformer by its speed, the number of epochs by
the minutes given; a shorter trial was looked at on 200 sentences of the test part, decided nothing
after them, and was thrown away.
"""

import gzip
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import sacrebleu
from _product import ending, gradatim, stamp, tabled

RESULTS = Path(__file__).parent / "results"
RUNGS = ("copy_source", "nearest_sentence", "ibm1", "seq2seq", "attention_seq2seq", "translator")
WORD_BY_WORD, ATTENDING, DEEP = RUNGS[2], RUNGS[4], RUNGS[5]
LEAST, MINUTES = 32.0, 20.0
"""BLEU that is asked for, and the minutes of two cores that are given."""
COLUMNS = ("rung", "BLEU", "95 % interval", "more than the rung above", "chrF", "parameters")
COLUMNS += ("epochs", "minutes", "of a core", "seconds to score")

Line = dict[str, Any]


def main() -> int:
    """Fit what is asked for, write the results, return how many goals are missed."""
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return tabled("translate", RUNGS, _fit, _goals, _page)


def _fit(name: str, root: str, work: Path, before: Line) -> Line:
    data = Path(root) / "multi30k"
    run, asked = work / name, ["--from", "fr", "--to", "en", "--rung", name]
    if not (run / "complete.json").is_file():
        begun = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        gradatim("fit", str(data), *asked, "--out", str(run), "--json")
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begun
        (work / f"{name}.seconds").write_text(f"{used:.1f}")
    fit = json.loads((run / "fit.json").read_text())
    below = [other for other in RUNGS[: RUNGS.index(name)] if (work / other / "fit.json").is_file()]
    beside = ["--against", str(work / below[-1])] if below else []
    begun = monotonic()
    test = gradatim("evaluate", str(run), *beside, "--json")
    seconds = monotonic() - begun
    scores = {key: round(score, 2) for key, score in test["scores"].items()}
    sys.stdout.write(f"{name}: {scores} after {fit['seconds'] / 60:.1f} minutes\n")
    sys.stdout.flush()
    measured = work / f"{name}.seconds"
    return {
        "command": f"gradatim fit DATA/multi30k {' '.join(asked)}",
        "scores": scores,
        "interval": [test["low"], test["high"]],
        "against": test.get("against", {}) | {"run": ""},
        "sacrebleu": _peer(run, data),
        "parameters": fit["parameters"],
        "rows": fit["train_rows"],
        "test_rows": test["rows"],
        "epochs": fit.get("epochs"),
        "seconds": round(fit["seconds"], 1),
        "seconds_of_a_core": float(measured.read_text()) if measured.is_file() else None,
        "seconds_to_evaluate": round(seconds, 1),
        **stamp(),
    }


def _peer(run: Path, data: Path) -> Line:
    """Return what sacrebleu says of the lines that the run writes for the test part."""
    said = run.parent / f"{run.name}.txt"
    asked = [str(run), str(data / "test_2016_flickr.fr.gz"), "--out", str(said)]
    tool = [sys.executable, "-m", "gradatim", "predict", *asked]
    subprocess.run(tool, stdout=subprocess.DEVNULL, check=True)
    with gzip.open(data / "test_2016_flickr.en.gz", "rt", encoding="utf-8") as due:
        references = [due.read().splitlines()]
    lines = said.read_text(encoding="utf-8").split("\n")[: len(references[0])]
    bleu, chrf = sacrebleu.BLEU(), sacrebleu.CHRF()
    return {
        "bleu": round(bleu.corpus_score(lines, references).score, 2),
        "chrf": round(chrf.corpus_score(lines, references).score, 2),
        "signatures": [str(bleu.get_signature()), str(chrf.get_signature())],
    }


def _core_minutes(line: Line) -> float:
    """Return the minutes of a core that a fit took; of the clock, where they were not measured."""
    return float(line["seconds_of_a_core"] or line["seconds"]) / 60


def _goals(fits: dict[str, Line]) -> list[Line]:
    """Return what is asked for, as far as the fits are there to say."""
    goals = []
    if DEEP in fits:
        bleu, minutes = fits[DEEP]["scores"]["bleu"], _core_minutes(fits[DEEP])
        goals.append(
            {
                "goal": f"{DEEP} >= {LEAST:g} BLEU after at most {MINUTES:g} minutes of one core",
                "measured": f"{bleu} after {minutes:.1f}",
                "reached": bleu >= LEAST and minutes <= MINUTES,
            }
        )
    if {WORD_BY_WORD, ATTENDING, DEEP} <= fits.keys():
        scores = [fits[name]["scores"]["bleu"] for name in (WORD_BY_WORD, ATTENDING, DEEP)]
        goals.append(
            {
                "goal": f"{ATTENDING} between {WORD_BY_WORD} and {DEEP}, in BLEU",
                "measured": " < ".join(f"{score:.2f}" for score in scores),
                "reached": scores == sorted(scores),
            }
        )
    for name, line in fits.items():
        ours, peer = line["scores"], line["sacrebleu"]
        off = max(abs(ours[key] - peer[key]) for key in ("bleu", "chrf"))
        goals.append(
            {
                "goal": f"{name}: BLEU and chrF are sacrebleu's",
                "measured": f"{off:.2f} apart",
                "reached": off < 0.011,
            }
        )
    return goals


def _page(facts: Line) -> str:
    signatures = next(iter(facts["fits"].values()))["sacrebleu"]["signatures"]
    lines = [
        "# Translating: multi30k, French to English",
        "",
        "Scores on test_2016 after fits to all other pairs, each rung with its default recipe and",
        "one thread. Minutes of the clock, on a machine that others used too, and of a core.",
        "More BLEU than the rung above on the same sentences: the 95 % interval of a paired",
        f"bootstrap. BLEU is `{signatures[0]}`, chrF `{signatures[1]}` in sacrebleu's words.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
    ]
    lines += [_row(name, line) for name, line in facts["fits"].items()]
    return "\n".join(lines) + "\n" + ending("translate", facts)


def _row(name: str, line: Line) -> str:
    (low, high), pair = line["interval"], line["against"]
    beside = f"{pair['low']:+.1f} to {pair['high']:+.1f}" if "low" in pair else ""
    core = line["seconds_of_a_core"]
    return (
        f"| {name} | {line['scores']['bleu']:.2f} | {low:.1f} to {high:.1f} | {beside} "
        f"| {line['scores']['chrf']:.2f} | {line['parameters']:,} | {line['epochs'] or ''} "
        f"| {line['seconds'] / 60:.1f} | {'' if core is None else f'{core / 60:.1f}'} "
        f"| {line['seconds_to_evaluate']:.0f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
