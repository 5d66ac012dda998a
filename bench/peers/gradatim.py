"""gradatim: folds by the function that a climb calls, one fit by iterating a `Fitting`."""

import tempfile
from math import inf
from pathlib import Path
from typing import Any

import gradatim  # noqa: F401  before torch, as who uses it does: see core/uncollected.py

# isort: split
import numpy as np
import torch
from contest.data import opened
from contest.worker import Job, Plain, enter

from gradatim.compare.job import Work
from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.rung import Model, Rung
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Image, Signature
from gradatim.models import rung_named
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting
from peers.dense_rung import Dense


def rung_of(job: Job) -> Rung:
    """Return the rung with the network that a job names."""
    if "widths" in job:
        return Dense(widths=tuple(job["widths"]))
    if job["network"] == "vit":
        return type(rung_named("vit")).parse({"width": 192, "depth": 6, "heads": 4, "patch": 4})
    names = {"lenet": "lenet5", "resnet8": "resnet_small", "resnet18": "resnet18"}
    return rung_named(names[job["network"]])


def signature_of(x: np.ndarray) -> Signature:
    """Return what the pictures of a job are."""
    _, channels, height, width = x.shape
    names = tuple(str(label) for label in range(10))
    picture = Image(channels=channels, height=height, width=width)
    return Signature(input=picture, output=Category(names=names))


def recipe_of(job: Job) -> Recipe:
    """Return what all contenders do: Adam at a constant rate, nothing held out, nothing added."""
    return Recipe(
        optimizer=OptimizerChoice(name="adam", lr=job["lr"]),
        schedule=Schedule(name="constant", warmup=0),
        epochs=job["epochs"],
        batch=job["batch"],
        validation=0,
        clip=0,
    )


def work_of(job: Job, arrays: dict[str, np.ndarray]) -> Work:
    """Return what all folds share."""
    signature = signature_of(arrays["x"])
    return Work(rung_of(job), recipe_of(job), TASKS["classify"], signature)


def fitting_of(work: Work, samples: Samples) -> Fitting:
    """Return a fit that has not begun."""
    return Fitting(work.rung, work.task, samples, work.signature, work.recipe)


def samples_of(arrays: dict[str, np.ndarray], rows: np.ndarray) -> Samples:
    """Return the chosen rows, pictures as they are stored."""
    return Samples(torch.from_numpy(arrays["x"][rows]), torch.from_numpy(arrays["y"][rows]))


@torch.inference_mode()
def accuracy(model: Model, held: Samples) -> float:
    """Return the share of rows that a model gets right."""
    model.eval()
    right = [model(x).argmax(1) == y for x, y in _parts(held)]
    return torch.cat(right).double().mean().item()


def _parts(held: Samples) -> Any:
    return zip(held.inputs.split(512), held.targets.split(512), strict=True)


def prepare(job: Job) -> Plain:
    """Several folds as a climb fits them, with predictions, scores and files; one as `fit` does.

    A climb measures once how long each rung will take and whether its folds are stacked; that
    belongs to the warm-up here.
    """
    if "answers" in job:
        return _answering(job)
    if job["folds"] > 1:
        return _climbing(job)
    torch.set_flush_denormal(True)  # as in every worker of the product
    arrays = opened(job)
    work, held = work_of(job, arrays), arrays["held"] == 0
    training, checked = samples_of(arrays, ~held), samples_of(arrays, held)

    def fit() -> Model:
        fitting = fitting_of(work, training)
        for _ in fitting:
            pass
        return fitting.model

    return Plain(fit, lambda model: accuracy(model, checked))


def _climbing(job: Job) -> Plain:
    from gradatim.compare.climb import climb, forecasts
    from gradatim.data.splits import Fold, Partition

    arrays = opened(job)
    work, rows = work_of(job, arrays), np.arange(len(arrays["y"]))
    cuts = [(rows[arrays["held"] != i], rows[arrays["held"] == i]) for i in range(job["folds"])]
    folds = tuple(Fold(0, i, learn, check) for i, (learn, check) in enumerate(cuts))
    split = Partition(rows, rows[:0], folds)
    samples = {"inputs": arrays["x"], "targets": arrays["y"]}
    planned = forecasts([work], samples, folds[0].training, len(folds))

    def fit() -> list[float]:
        with tempfile.TemporaryDirectory() as folder:
            events = climb([work], samples, split, Path(folder), planned, inf)
            results = [event.result for event in events if event.kind == "fitted"]
        failed = [result["failed"] for result in results if result and "failed" in result]
        if failed:
            raise RuntimeError(failed[0])
        return [result["scores"]["accuracy"] for result in results if result]

    # The first one starts the workers, and not each of them has work already.
    return Plain(fit, lambda scores: float(np.mean(scores)), lambda: (fit(), fit()))


def _answering(job: Job) -> Plain:
    from gradatim.export.frozen import frozen

    x = opened(job)["x"]
    pictures = torch.from_numpy(x)
    model = frozen(rung_of(job).build(signature_of(x), {}), pictures[: job["batch"]])

    def fit() -> torch.Tensor:
        with torch.inference_mode():
            for at in range(job["answers"]):
                start = at * job["batch"] % len(x)
                said = model(pictures[start : start + job["batch"]])
        return said

    return Plain(fit, lambda said: float(said.isfinite().all()))


def reach(job: Job) -> dict[str, Any]:
    """Train until the accuracy is reached: whoever iterates decides when to stop."""
    arrays = opened(job)
    held = arrays["held"] == 0
    fitting = fitting_of(work_of(job, arrays), samples_of(arrays, ~held))
    checked = samples_of(arrays, held)
    for epoch, _ in enumerate(fitting, 1):
        found = {"score": accuracy(fitting.model, checked), "epochs": epoch}
        if found["score"] >= job["accuracy"]:
            break
    return found


if __name__ == "__main__":
    enter(prepare, reach)
