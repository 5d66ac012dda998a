"""Noise of deviation 25 on Set12 and BSD68: `python bench/denoise.py [NAME ...]`.

Every rung is fitted with its default recipe by `gradatim fit` to the 400 pictures of BSD400 and
scored by `gradatim evaluate` on all of Set12 and BSD68, whose noise is the same for every rung.
Reads the data below the folder in GRADATIM_DATA (see its README for licences) and writes
bench/results/denoise.json and denoise.md; rungs that are not named keep the lines they have. One
fit at a time, as many threads as the machine has cores. DnCNN is held against non-local means on
the same pictures; runs are kept below the folder in RUNS, where that is set.
"""

import json
import sys
from pathlib import Path
from typing import Any

from _product import ending, gradatim, stamp, tabled

RESULTS = Path(__file__).parent / "results"
FIT = "{data}/bsd/BSD400 --task denoise --sigma 25"
TESTS = {"Set12": "{data}/bsd/Set12", "BSD68": "{data}/bsd/BSD68"}

# name -> (arguments of `gradatim fit`, PSNR published for Set12 and BSD68)
FITS: dict[str, tuple[str, dict[str, float]]] = {
    "as_it_is": (f"{FIT} --rung as_it_is", {}),
    "gauss": (f"{FIT} --rung gauss", {}),
    "median": (f"{FIT} --rung median", {}),
    "wavelet": (f"{FIT} --rung wavelet", {}),
    "total_variation": (f"{FIT} --rung total_variation", {}),
    "non_local_means": (f"{FIT} --rung non_local_means", {}),
    "wiener": (f"{FIT} --rung wiener", {}),
    "autoencoder": (f"{FIT} --rung autoencoder", {}),
    "dncnn": (f"{FIT} --rung dncnn", {"Set12": 30.44, "BSD68": 29.23}),
    "dncnn, noisy targets": (f"{FIT} --rung dncnn --noisy-targets", {}),
    "unet": (f"{FIT} --rung unet", {}),
}
ABOVE, WITHIN, MINUTES = 0.4, 0.3, 10.0
RIVALS = {"dncnn": "non_local_means", "dncnn, noisy targets": "dncnn"}


def main() -> int:
    """Fit what is asked for, write the results, return how many goals are missed."""
    return tabled("denoise", FITS, _fit, _goals, _page)


def _fit(name: str, root: str, work: Path, before: dict[str, Any]) -> dict[str, Any]:
    arguments, published = FITS[name]
    run, rival = work / _folder(name), work / _folder(RIVALS.get(name, ""))
    if not (run / "complete.json").is_file():
        gradatim("fit", *arguments.format(data=root).split(), "--out", str(run), "--json")
    fit = json.loads((run / "fit.json").read_text())
    against = ["--against", str(rival)] if name in RIVALS and rival.is_dir() else []
    tests = {
        test: gradatim("evaluate", str(run), place.format(data=root), *against, "--json")
        for test, place in TESTS.items()
    }
    scores = {test: said["scores"] for test, said in tests.items()}
    said = ", ".join(f"{test} {score['psnr']:.2f} dB" for test, score in scores.items())
    sys.stdout.write(f"{name}: {said} after {fit['seconds'] / 60:.1f} minutes\n")
    sys.stdout.flush()
    return {
        "command": f"gradatim fit {arguments.format(data='DATA')}",
        "scores": {
            test: {key: round(value, 4) for key, value in score.items()}
            for test, score in scores.items()
        },
        "against": {
            test: {key: said["against"][key] for key in ("rung", "difference", "low", "high")}
            for test, said in tests.items()
            if "against" in said
        },
        "published": published,
        "parameters": fit["parameters"],
        "rows": fit["train_rows"],
        "epochs": fit.get("epochs"),
        "seconds": round(fit["seconds"], 1),
        **stamp(),
    }


def _goals(fits: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is asked for, as far as the fits are there to say."""
    goals = []
    pairs = (
        ("dncnn", "non_local_means", f">= {ABOVE} dB above", ABOVE),
        ("dncnn, noisy targets", "dncnn", f"at most {WITHIN} dB below", -WITHIN),
    )
    for name, other, words, least in pairs:
        for test in TESTS if {name, other} <= set(fits) else ():
            gain = fits[name]["scores"][test]["psnr"] - fits[other]["scores"][test]["psnr"]
            goal = f"{name} {words} {other} on {test}"
            goals.append({"goal": goal, "measured": round(gain, 3), "reached": gain >= least})
    for name in ("dncnn", "dncnn, noisy targets"):
        if name in fits:
            minutes = fits[name]["seconds"] / 60
            goal = f"{name} trained in at most {MINUTES:g} minutes"
            reached = minutes <= MINUTES
            goals.append({"goal": goal, "measured": round(minutes, 2), "reached": reached})
    return goals


def _folder(name: str) -> str:
    return name.replace(", ", "_").replace(" ", "_")


def _page(facts: dict[str, Any]) -> str:
    lines = [
        "# Denoising: white noise of deviation 25",
        "",
        "Mean PSNR in dB and SSIM over all 12 pictures of Set12 and all 68 of BSD68, after fits to",
        "BSD400. The noise is never clipped; answers are clipped and rounded, as files hold them.",
        "Each rung with its default recipe.",
        "",
        "| rung | Set12 PSNR | SSIM | BSD68 PSNR | SSIM | published | parameters | minutes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, line in facts["fits"].items():
        scores = " | ".join(
            f"{line['scores'][test]['psnr']:.2f} | {line['scores'][test]['ssim']:.3f}"
            for test in TESTS
        )
        published = " / ".join(f"{value:.2f}" for value in line["published"].values())
        lines.append(
            f"| {name} | {scores} | {published} | {line['parameters']:,} "
            f"| {line['seconds'] / 60:.1f} |"
        )
    lines += [
        "",
        "| on the same pictures | better by, dB | paired interval |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} against {RIVALS[name]} on {test} | {pair['difference']:.3f} "
        f"| {pair['low']:.3f} to {pair['high']:.3f} |"
        for name, line in facts["fits"].items()
        for test, pair in line["against"].items()
    ]
    lines += ["", "Published: DnCNN-S with 17 layers, Zhang et al. 2017, tables II and III."]
    return "\n".join(lines) + "\n" + ending("denoise", facts)


if __name__ == "__main__":
    sys.exit(main())
