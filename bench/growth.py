"""How costs grow with rows, folds and rungs: `python bench/growth.py`. One log-log picture.

Rows: one fit of a rung by iterating a `Fitting`, in a worker process as in a climb; of `mlp` one
epoch. A point that would take longer than CAP seconds is not measured. Folds and rungs: a whole
`climb` of the digits from Python, report included.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from contest.race import BENCH, environment
from contest.results import RESULTS, TRIALS, Facts, publish, quick

CAP = 60.0
COLUMNS = 20
ROWS = (1000, 10_000, 100_000, 1_000_000)
RUNGS = ("majority", "linear", "ridge", "logistic", "svm", "knn", "boosted_trees", "mlp")
FOLDS = (2, 5, 10, 20)
LADDER = ("majority", "linear", "ridge", "perceptron", "knn", "logistic", "svm", "boosted_trees")


def main() -> None:
    """Measure, draw, write; or measure one rung, as the process that `_rows` starts."""
    if sys.argv[1:2] == ["fit"]:
        _fits(sys.argv[2], [int(text) for text in sys.argv[3].split(",")])
        return
    trial = quick()
    sizes = ROWS[:2] if trial else ROWS
    lines: dict[str, dict[str, Any]] = {
        "rows": {rung: _rows(rung, sizes) for rung in (RUNGS[:3] if trial else RUNGS)}
    }
    few = LADDER[:3]
    folds = {str(n): _climb(few if trial else LADDER[:6], n) for n in FOLDS[: 2 if trial else 4]}
    lines["folds"] = {"climb": folds}
    counts = (1, 2) if trial else (1, 2, 4, 8)
    lines["rungs"] = {"climb": {str(n): _climb(LADDER[:n], 5) for n in counts}}
    facts: Facts = {"goals": [], "cap_seconds": CAP, "columns": COLUMNS}
    folder = TRIALS if trial else RESULTS
    folder.mkdir(exist_ok=True)
    _draw(lines, folder / "growth.svg")
    publish("growth", facts | {"seconds": lines, "powers": _powers(lines)}, trial=trial)


def _rows(rung: str, sizes: tuple[int, ...]) -> dict[str, float | str]:
    """Return seconds by rows, which a process of its own says one after the other."""
    command = [sys.executable, __file__, "fit", rung, ",".join(map(str, sizes))]
    found: dict[str, float | str] = {}
    process = subprocess.Popen(
        command, cwd=BENCH, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None, "it was opened with a pipe"
    while True:
        watch = threading.Timer(2 * CAP, process.kill)  # costs can rise faster than rows
        watch.start()
        line = process.stdout.readline()
        watch.cancel()
        if not line:
            break
        rows, seconds = json.loads(line)
        found[str(rows)] = seconds
        sys.stdout.write(f"{rung}, {rows} rows: {seconds}\n")
    process.wait()
    unsaid = f"ended after {2 * CAP:.0f} s"
    return {str(rows): found.get(str(rows), unsaid) for rows in sizes}


def _fits(rung: str, sizes: list[int]) -> None:
    """Say what fits of a rung cost, as long as the next one can be expected below the cap."""
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    expected = 0.0
    for rows in sizes:
        said: float | str = f"over {CAP:.0f} s: expected {expected:.0f} s, not measured"
        if expected <= CAP:
            said = _fit(rung, rows)
            # At least linear: ten times the rows, ten times the seconds, less what is constant.
            expected = 10 * said if said > 0.05 else 0.0
        sys.stdout.write(json.dumps([rows, said]) + "\n")
        sys.stdout.flush()


def _fit(name: str, rows: int) -> float:
    from gradatim.core.recipe import Recipe
    from gradatim.core.rung import Trained
    from gradatim.models import rung_named
    from gradatim.tasks import TASKS
    from gradatim.train.fitting import Fitting

    samples, signature = _table(rows)
    rung, recipe = rung_named(name), Recipe()
    if isinstance(rung, Trained):
        recipe = rung.recipe(rows, signature).model_copy(update={"epochs": 1})
    begun = time.perf_counter()
    for _ in Fitting(rung, TASKS["classify"], samples, signature, recipe):
        pass
    return round(time.perf_counter() - begun, 4)


def _table(rows: int) -> Any:
    """Return two classes that a bent boundary separates, with a tenth of the labels wrong."""
    import numpy as np
    import torch

    from gradatim.core.samples import Samples
    from gradatim.core.signature import Category, Column, Signature, Table

    chance = np.random.default_rng(0)
    x = chance.standard_normal((rows, COLUMNS))
    y = (x[:, 0] + x[:, 1] * x[:, 2] > 0) ^ (chance.random(rows) < 0.1)
    columns = tuple(Column(name=f"x{i}", kind="numeric") for i in range(COLUMNS))
    output = Category(names=("no", "yes"))
    samples = Samples(torch.from_numpy(x), torch.from_numpy(y.astype(np.int64)))
    return samples, Signature(input=Table(columns=columns), output=output)


def _climb(rungs: tuple[str, ...], folds: int) -> float:
    """Return the seconds of a climb in a fresh process."""
    options = ["--rungs", ",".join(rungs), "--folds", str(folds), "--json"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gradatim", "climb", "digits", "--out", f"{folder}/run"]
        begun = time.perf_counter()
        subprocess.run(
            [*command, *options], env=environment(), stdout=subprocess.DEVNULL, check=True
        )
        return round(time.perf_counter() - begun, 2)


def _powers(lines: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return p of seconds ~ n^p between the last two points of each line."""
    from math import log

    powers: dict[str, dict[str, float]] = {}
    for what, each in lines.items():
        for name, points in each.items():
            known = [(int(n), s) for n, s in points.items() if isinstance(s, float) and s > 0]
            if len(known) > 1:
                (a, s), (b, t) = known[-2:]
                powers.setdefault(what, {})[name] = round(log(t / s) / log(b / a), 2)
    return powers


def _draw(lines: dict[str, Any], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "growth", "font.size": 9})
    from matplotlib import pyplot as plt
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
    titles = {
        "rows": f"one fit (mlp: one epoch), {COLUMNS} columns",
        "folds": "climb of the digits, 6 rungs",
        "rungs": "climb of the digits, 5 folds",
    }
    for axis, (what, each) in zip(axes, lines.items(), strict=True):
        for name, points in each.items():
            known = [(int(n), s) for n, s in points.items() if isinstance(s, float)]
            axis.loglog(*zip(*known, strict=True), "o-", markersize=3, label=name)
        axis.set(xlabel=what, ylabel="seconds", title=titles[what])
        axis.grid(alpha=0.3)
        if what != "rows":  # few and near to one another: plain numbers, and no more than there are
            counts = sorted({int(n) for points in each.values() for n in points})
            axis.set_xticks(counts, labels=map(str, counts), minor=False)
            axis.minorticks_off()
            axis.yaxis.set_major_locator(MaxNLocator(5))
            axis.yaxis.set_major_formatter(ScalarFormatter())
    axes[0].legend(fontsize=7, frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
