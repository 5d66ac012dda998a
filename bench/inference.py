"""Answers per second against the plain module of PyTorch: `python bench/inference.py`.

`gradatim` is what `gradatim.load(run).frozen()` returns, asked with stored uint8 pictures, for its
preprocessing is inside; the others get floats.
"""

import tempfile
from pathlib import Path

from contest import data
from contest.race import race
from contest.results import Facts, publish, quick, ratio

# title -> network, rows a call, calls, side of the picture and channels
CASES = {
    "LeNet-5, batch 1": ("lenet", 1, 2000, (32, 1)),
    "LeNet-5, batch 256": ("lenet", 256, 40, (32, 1)),
    "ResNet-18, batch 1": ("resnet18", 1, 60, (32, 3)),
}


def main() -> None:
    """Race the cases and write the results."""
    trial = quick()
    with tempfile.TemporaryDirectory() as folder:
        races = {title: _raced(title, Path(folder), trial) for title in CASES}
    factors = {"LeNet-5, batch 1": 3.0, "LeNet-5, batch 256": 3.0, "ResNet-18, batch 1": 1.7}
    goals = [
        ratio(f"answers of {title}", factor, races[title]["contenders"], ["eager"])
        for title, factor in factors.items()
    ]
    publish("inference", {"goals": goals, "races": races}, trial=trial)


def _raced(title: str, folder: Path, trial: bool) -> Facts:
    network, batch, calls, (side, channels) = CASES[title]
    arrays = data.made(512, side, channels)
    calls = max(1, calls // 20) if trial else calls
    job = {"network": network, "batch": batch, "answers": calls}
    job["data"] = data.saved(arrays, folder, f"{network}-{batch}")
    found = race(("gradatim", "eager"), job, 1 if trial else 7)
    work = f"{calls} calls of {batch} pictures, {channels} x {side} x {side}; the score says finite"
    return {"work": work, "contenders": found}


if __name__ == "__main__":
    main()
