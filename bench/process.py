"""Whole processes, from their start to an accuracy: `python bench/process.py`.

Every contender reads the same arrays from a file, trains the same dense network and looks at the
held-out rows after every epoch. Imports count, that is what this is about; a first run of each,
not counted, brings the files of the libraries into memory.
"""

import os
import tempfile
from pathlib import Path

from contest import data
from contest.race import processes
from contest.results import Facts, publish, quick, ratio

PEERS = {2.5: ["eager"], 3.0: ["lightning_trainer", "keras_jax"], 1.3: ["scikit"]}
CONTENDERS = ("gradatim", "eager", "lightning_trainer", "skorch_net", "keras_jax", "scikit")
LINEAR = ("gradatim_ridge", "scikit_ridge:grid_jobs")


def main() -> None:
    """Run what the data allow and write the results."""
    trial = quick()
    with tempfile.TemporaryDirectory() as folder:
        place, rounds = Path(folder), 1 if trial else 3
        races = {"digits to 0.97": _digits(place, rounds)}
        if os.environ.get("GRADATIM_DATA"):
            races["MNIST, 10,000 rows, to 0.945"] = _mnist(place, rounds)
        networks = list(races)
        races["ridge on digits"] = _ridge_digits(place, rounds)
        races["ridge, 5 folds x 13 penalties"] = _ridge_table(place, rounds, trial)
    goals = [
        ratio(f"whole process, {name}", factor, races[name]["contenders"], peers)
        for name in networks
        for factor, peers in PEERS.items()
    ]
    goals += [
        ratio(f"whole process, {name}", 5, races[name]["contenders"], LINEAR[1:], LINEAR[0])
        for name in races
        if name not in networks
    ]
    publish("process", {"goals": goals, "races": races}, trial=trial)


def _digits(folder: Path, rounds: int) -> Facts:
    saved = data.saved(data.in_folds(data.digits(), 5), folder, "digits")
    job = {"widths": [64], "inputs": 64, "batch": 32, "lr": 2e-3, "accuracy": 0.97}
    job |= {"folds": 1, "epochs": 60, "data": saved}
    work = "1,437 rows, 64-64-10, batches of 32, Adam 0.002"
    return {"work": work, "contenders": processes(CONTENDERS, job, rounds)}


def _mnist(folder: Path, rounds: int) -> Facts:
    saved = data.saved(data.mnist_with_test(10_000), folder, "mnist")
    job = {"widths": [256, 128], "inputs": 784, "batch": 128, "lr": 1e-3, "accuracy": 0.945}
    job |= {"folds": 1, "epochs": 30, "data": saved}
    work = "10,000 rows, judged by MNIST's test part; 784-256-128-10, batches of 128, Adam 0.001"
    return {"work": work, "contenders": processes(CONTENDERS, job, rounds, cold=False)}


def _ridge_digits(folder: Path, rounds: int) -> Facts:
    job = {"data": str(folder / "digits.npz")}
    work = "one fit with 25 penalties by leave-one-out on 1,437 rows x 64"
    return {"work": work, "contenders": processes(LINEAR, job, rounds)}


def _ridge_table(folder: Path, rounds: int, trial: bool) -> Facts:
    rows = 5000 if trial else 100_000
    saved = data.saved(data.in_folds(data.table(rows, 100), 5), folder, "table")
    penalties = [10.0 ** (power / 2) for power in range(-4, 9)]
    job = {"penalties": penalties, "folds": 5, "data": saved}
    work = f"{rows} rows x 100, read from a file; the score is the best RMSE"
    return {"work": work, "contenders": processes(LINEAR, job, rounds)}


if __name__ == "__main__":
    main()
