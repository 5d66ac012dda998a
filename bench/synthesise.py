"""New digits like those of MNIST: `python bench/synthesise.py [RUNG ...]`.

Every rung is fitted with its default recipe by `gradatim fit` to the 60,000 training pictures and
scored by `gradatim evaluate` on as many drawn pictures as the test part has, in features of a
LeNet-5 that learnt the training part, the same for every rung. Beside them stands what training
pictures themselves score, which no rung can expect to beat by much. Reads the data below the
folder in GRADATIM_DATA (see its README for licences) and writes bench/results/synthesise.json and
synthesise.md; rungs that are not named keep the lines they have. One fit at a time, one thread;
minutes are those of the processor, for they do not depend on what else a machine does. Runs, with
sheets of drawn pictures, are kept below the folder in RUNS, where that is set.
"""

import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

from _product import gradatim, stamp

RESULTS = Path(__file__).parent / "results"
RUNGS = (
    *("gaussian", "pca", "gaussian_mixture", "linear_autoencoder", "autoencoder_synthesis"),
    *("denoising_autoencoder", "vae", "dcgan", "wgan_gp", "conditional_gan"),
)
SCORES = ("frechet", "kernel", "coverage", "nearest")
PLAIN, CODED, ADVERSARIES = "gaussian", "vae", ("dcgan", "wgan_gp", "conditional_gan")
MINUTES = 10.0
FLOOR = "training pictures"


def main() -> int:
    """Fit what is asked for, write the results, return how many goals are missed."""
    root = os.environ.get("GRADATIM_DATA")
    if root is None:
        sys.stdout.write("skipped: no data; set GRADATIM_DATA to the folder that holds it\n")
        return 0
    os.environ["OMP_NUM_THREADS"] = "1"
    file = RESULTS / "synthesise.json"
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"fits": {}}
    fits = kept["fits"]
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(os.environ.get("RUNS", temporary))
        for name in sys.argv[1:] or RUNGS:
            fits[name] = _fit(name, root, work)
            if name == PLAIN:
                kept["floor"] = _floor(work / name, root)
            kept["fits"] = {key: fits[key] for key in RUNGS if key in fits}
            kept["goals"] = _goals(kept["fits"])
            RESULTS.mkdir(exist_ok=True)
            file.write_text(json.dumps(kept, indent=1) + "\n")
            (RESULTS / "synthesise.md").write_text(_page(kept))
    return sum(not goal["reached"] for goal in kept.get("goals", ()))


def _fit(name: str, root: str, work: Path) -> dict[str, Any]:
    run, before = work / name, _processor()
    arguments = f"{root}/mnist --task synthesise --rung {name}"
    gradatim("fit", *arguments.split(), "--out", str(run), "--json")
    minutes = (_processor() - before) / 60
    fit = json.loads((run / "fit.json").read_text())
    said = gradatim("evaluate", str(run), "--json")
    gradatim("predict", str(run), "--out", str(work / f"{name}-drawn"), "--count", "100", "--json")
    scores = {key: round(said["scores"][key], 4) for key in SCORES}
    sys.stdout.write(f"{name}: {scores} after {minutes:.1f} minutes\n")
    sys.stdout.flush()
    return {
        "command": f"gradatim fit DATA/mnist --task synthesise --rung {name}",
        "scores": scores,
        "interval": [round(said["low"], 2), round(said["high"], 2)],
        "parameters": fit["parameters"],
        "processor_minutes": round(minutes, 2),
        "seconds": round(fit["seconds"], 1),
        **stamp(),
    }


def _processor() -> float:
    """Return the seconds that finished commands have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _floor(run: Path, root: str) -> dict[str, float]:
    """Return what training pictures score against the test part."""
    from gradatim.core.source import ReadOptions
    from gradatim.data.read import read
    from gradatim.session.load import load

    task = load(run)[2]
    data = read(f"{root}/mnist", ReadOptions(task="synthesise"))
    assert data.sealed is not None, "MNIST has a test part of its own"
    test = data.samples.take(data.sealed.nonzero()[:, 0])
    training = data.samples.take((~data.sealed).nonzero()[: len(test), 0])
    reading = task.read(training.inputs.numpy(), test)
    # Some of them are known rows themselves, so that the distance to the nearest says nothing.
    names = [name for name in SCORES if name != "nearest"]
    return {name: round(task.metrics[name](*reading), 4) for name in names}


def _goals(fits: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is asked for, as far as the fits are there to say."""
    goals = []
    if PLAIN not in fits:
        return []
    limit = fits[PLAIN]["scores"]["frechet"]
    rivals = [name for name in ADVERSARIES if name in fits]
    best = min(rivals, key=lambda name: fits[name]["scores"]["frechet"], default="")
    for name in filter(fits.__contains__, (CODED, best)):
        scores, minutes = fits[name]["scores"], fits[name]["processor_minutes"]
        for words, measured, reached in (
            (f"below the Gaussian's {limit:.1f}", scores["frechet"], scores["frechet"] < limit),
            ("draws all ten classes", scores["coverage"], scores["coverage"] == 1),
            (f"takes at most {MINUTES:g} minutes of one thread", minutes, minutes <= MINUTES),
        ):
            goals.append({"goal": f"{name} {words}", "measured": measured, "reached": reached})
    return goals


def _page(facts: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [
        "# New digits like those of MNIST",
        "",
        "Made by `python bench/synthesise.py`; every rung with its default recipe, 60,000 training",
        "pictures, as many drawn as the test part has. Distances are taken in the 84 features of a",
        "LeNet-5 that learnt the training part: lower is better. Coverage is the share of the",
        "classes that are drawn half to twice as often as they should be; nearest is the median",
        "distance to the nearest training picture, 1 for unseen real ones.",
        "",
        "| rung | Frechet (95 %) | kernel | coverage | nearest | minutes of a thread |",
        "|---|---|---|---|---|---|",
    ]
    for name, fit in facts["fits"].items():
        scores, (low, high) = fit["scores"], fit["interval"]
        lines.append(
            f"| {name} | {scores['frechet']:.1f} ({low:.1f} to {high:.1f}) | "
            f"{scores['kernel']:.1f} | {scores['coverage']:.1f} | {scores['nearest']:.2f} | "
            f"{fit['processor_minutes']:.1f} |"
        )
    if "floor" in facts:
        floor = facts["floor"]
        told = f"{floor['frechet']:.1f} | {floor['kernel']:.1f} | {floor['coverage']:.1f}"
        lines.append(f"| {FLOOR} | {told} | | |")
    lines += ["", "| goal | measured | reached |", "|---|---|---|"]
    for goal in facts["goals"]:
        reached = "yes" if goal["reached"] else "no"
        lines.append(f"| {goal['goal']} | {goal['measured']:g} | {reached} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(min(1, main()))
