"""Networks on MNIST and CIFAR-10-JPEG: `python bench/networks.py [NAME ...]`.

Every rung is fitted with its default recipe by `gradatim fit` and scored once by
`gradatim evaluate` on the data's own test part. Reads the data below the folder in GRADATIM_DATA
(see its README for licences) and writes bench/results/networks.json and networks.md; rungs that are
not named keep the lines they have. One fit at a time, as many threads as the machine has cores.
"""

import json
import os
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from _product import gradatim, stamp

RESULTS = Path(__file__).parent / "results"
MNIST, CIFAR = "mnist:{data}/mnist", "{work}/cifar10"

# name -> (arguments of `gradatim fit`, most errors allowed in %, what was published).
LECUN = "LeCun's table"
FITS: dict[str, tuple[str, float | None, str]] = {
    "linear": (f"{MNIST} --rung linear", None, f"12.0; run again by others 13.96 ({LECUN})"),
    "logistic": (f"{MNIST} --rung logistic", None, f"12.0, 1-layer network ({LECUN})"),
    "svm, 10,000 rows": (f"{MNIST} --rung svm --rows 10000", None, f"1.4, 60,000 rows ({LECUN})"),
    "mlp": (f"{MNIST} --rung mlp", 1.8, f"1.6, 800 hidden, cross-entropy ({LECUN})"),
    "lenet5": (f"{MNIST} --rung lenet5", 0.95, f"0.95; 0.8 with distortions ({LECUN})"),
    "resnet_small": (f"{MNIST} --rung resnet_small", 0.6, ""),
    "vit": (f"{MNIST} --rung vit", 2.5, ""),
    "resnet_small, CIFAR-10-JPEG": (
        f"{CIFAR} --rung resnet_small --set augmentation.flip=true --set augmentation.shift=2",
        20.0,
        "8.75, ResNet-20 on CIFAR-10 (He et al. 2016, table 6)",
    ),
}


def main() -> int:
    """Fit what is asked for, write the results, return how many goals are missed."""
    root = os.environ.get("GRADATIM_DATA")
    if root is None:
        sys.stdout.write("skipped: no data; set GRADATIM_DATA to the folder that holds it\n")
        return 0
    file = RESULTS / "networks.json"
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for name in sys.argv[1:] or FITS:
        with tempfile.TemporaryDirectory() as work:
            results[name] = _fit(name, root, Path(work))
        RESULTS.mkdir(exist_ok=True)
        ordered = {key: results[key] for key in FITS if key in results}
        file.write_text(json.dumps(ordered, indent=1) + "\n")
        (RESULTS / "networks.md").write_text(_page(ordered))
    return sum(not line["reached"] for line in results.values())


def _fit(name: str, root: str, work: Path) -> dict[str, Any]:
    arguments, goal, published = FITS[name]
    if "{work}" in arguments:
        with tarfile.open(f"{root}/cifar10/cifar10-jpeg.tar.gz") as archive:
            archive.extractall(work, filter="data")
    asked = arguments.format(data=root, work=work).split()
    fit = gradatim("fit", *asked, "--out", str(work / "run"), "--json")
    score = gradatim("evaluate", str(work / "run"), "--json")["scores"]["accuracy"]
    error = 100 * (1 - score)
    sys.stdout.write(f"{name}: {error:.2f} % error after {fit['seconds'] / 60:.1f} minutes\n")
    return {
        "command": f"gradatim fit {arguments.format(data='DATA', work='DATA')}",
        "error": round(error, 2),
        "goal": goal,
        "reached": goal is None or error <= goal,
        "published": published,
        "parameters": fit["parameters"],
        "rows": fit["train_rows"],
        "epochs": fit["epochs"],
        "seconds": round(fit["seconds"], 1),
        **stamp(),
    }


def _page(results: dict[str, Any]) -> str:
    lines = [
        "# Networks of the course on MNIST and CIFAR-10-JPEG",
        "",
        "Test error in % of the 10,000 pictures of the data's own test part, opened once a fit.",
        "Each rung with its default recipe unless the command says otherwise.",
        "",
        "| rung | error % | asked | reached | published | parameters | rows | epochs | minutes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, line in results.items():
        goal = "" if line["goal"] is None else f"<= {line['goal']}"
        reached = "" if line["goal"] is None else ("yes" if line["reached"] else "**no**")
        lines.append(
            f"| {name} | {line['error']:.2f} | {goal} | {reached} | {line['published']} "
            f"| {line['parameters']:,} | {line['rows']:,} | {line['epochs']} "
            f"| {line['seconds'] / 60:.1f} |"
        )
    machines = sorted({(line["date"], line["machine"]) for line in results.values()})
    lines += ["", *(f"Measured {date} on {machine}." for date, machine in machines)]
    lines += [
        "Command: `GRADATIM_DATA=... python bench/networks.py`; each fit as its line says:",
        "",
    ]
    lines += [f"- {name}: `{line['command']}`" for name, line in results.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
