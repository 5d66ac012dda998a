"""gradatim: ridge regression by sums, one eigendecomposition a fold for all penalties."""

from typing import Any

import gradatim  # noqa: F401  before torch, as who uses it does: see core/uncollected.py

# isort: split
import torch
from contest.data import opened
from contest.worker import Job, Plain, enter


def search(job: Job) -> Any:
    """Return the search: the mean squared error of each penalty over the folds."""
    from gradatim.ops.grams import ridge_cv

    arrays = opened(job)
    x, t = torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"])[:, None]
    held = torch.from_numpy(arrays["held"])
    folds = [(held == fold).nonzero()[:, 0] for fold in range(job["folds"])]
    penalties = torch.tensor(job["penalties"], dtype=torch.float64)
    return lambda: ridge_cv(x, t, folds, penalties).double().mean(0)


def prepare(job: Job) -> Plain:
    """Search again and again."""
    return Plain(search(job), _root)


def _root(errors: Any) -> float:
    return float(errors.min()) ** 0.5


def reach(job: Job) -> dict[str, Any]:
    """Search once, in a table; or fit the digits by the rung."""
    if "penalties" in job:
        return {"score": _root(search(job)())}
    from gradatim.compare.job import Work
    from gradatim.core.recipe import Recipe
    from gradatim.models import rung_named
    from gradatim.tasks import TASKS
    from peers.gradatim import accuracy, fitting_of, samples_of, signature_of

    arrays = opened(job)
    signature, held = signature_of(arrays["x"]), arrays["held"] == 0
    work = Work(rung_named("ridge"), Recipe(), TASKS["classify"], signature)
    fitting = fitting_of(work, samples_of(arrays, ~held))
    list(fitting)
    return {"score": accuracy(fitting.model, samples_of(arrays, held))}


if __name__ == "__main__":
    enter(prepare, reach)
