"""One fit of larger networks against plain PyTorch: `python bench/training.py`.

`gradatim` is a `Fitting`, iterated as `gradatim fit` does; others are the same network in the loops
that they offer. Compiling is not counted.
"""

import tempfile
from pathlib import Path

from contest import data
from contest.race import race
from contest.results import Facts, publish, quick, ratio

FRAMEWORKS = ("lightning_trainer", "skorch_net", "keras_jax")


def main() -> None:
    """Race three networks and write the results."""
    trial = quick()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        small, what = data.pictures(640 if trial else 2560)
        large = data.made(160 if trial else 640, 32, 3)
        colours = "pictures of noisy patterns, 3 x 32 x 32"
        races = {
            "ResNet-8": _raced("resnet8", small, place, trial, FRAMEWORKS, work=what),
            "ResNet-8, five folds": _raced("resnet8", small, place, trial, folds=5, work=what),
            "ResNet-18": _raced("resnet18", _first(large, 320), place, trial, work=colours),
            "ViT 192 x 6": _raced("vit", large, place, trial, work=colours),
        }
    factors = {"ResNet-8": 2.2, "ResNet-18": 1.7, "ViT 192 x 6": 1.4}
    goals = [
        ratio(f"one fit of {name}", factor, races[name]["contenders"], ["eager"])
        for name, factor in factors.items()
    ]
    publish("training", {"goals": goals, "races": races}, trial=trial)


def _first(arrays: data.Arrays, rows: int) -> data.Arrays:
    return {name: values[:rows] for name, values in arrays.items()}


def _raced(
    network: str,
    arrays: data.Arrays,
    folder: Path,
    trial: bool,
    others: tuple[str, ...] = (),
    *,
    folds: int = 1,
    work: str,
) -> Facts:
    saved = data.saved(data.in_folds(arrays, 5), folder, f"{network}-{folds}")
    job = {"network": network, "batch": 64, "lr": 1e-3, "folds": folds, "epochs": 1, "data": saved}
    rounds = 1 if trial else 3 if folds > 1 or len(arrays["y"]) < 1000 else 5
    rows = len(arrays["y"]) * 4 // 5
    found = race(("gradatim", "eager", *others), job, rounds, dict.fromkeys(others, 3))
    return {"work": f"{work}; {rows} rows a fit, batches of 64, one epoch", "contenders": found}


if __name__ == "__main__":
    main()
