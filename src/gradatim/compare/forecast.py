"""How long a fit will take: measured on a small part, never guessed."""

import math
import time

import numpy as np

from gradatim.core.recipe import Recipe
from gradatim.core.rung import Rung, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.core.task import Supervised
from gradatim.ops.folds import holdout
from gradatim.train.fitting import Fitting

__all__ = ["forecast"]

SMALL, LARGE = 250, 500
PATIENCE = 0.25


def forecast(
    rung: Rung, task: Supervised, samples: Samples, signature: Signature, recipe: Recipe
) -> float:
    """Return the seconds that one fit on all of `samples` will take, at the most.

    A solver is timed on 250 and 500 rows and extended by the power of n seen between them (at
    least linear, at most cubic); a network is timed for some steps and extended to its last
    epoch, though early stopping may end it sooner.
    """
    if isinstance(rung, Solved):
        return _solver(rung, task, samples, signature, recipe)
    fitting = Fitting(rung, task, samples, signature, recipe)
    fitting.step()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < PATIENCE:
        fitting.step()
        steps += 1
    return (time.perf_counter() - start) / steps * fitting.steps


def _solver(
    rung: Solved, task: Supervised, samples: Samples, signature: Signature, recipe: Recipe
) -> float:
    sizes = [n for n in (SMALL, LARGE) if n < len(samples)] or [len(samples)]
    parts = [_part(samples, signature, n, recipe.seed) for n in sizes]
    _time(rung, parts[0], signature, recipe)  # the first call pays for imports
    seconds = [_time(rung, part, signature, recipe) for part in parts]
    power = 1.0
    if len(parts) == 2:
        growth = math.log(len(parts[1]) / len(parts[0]))
        power = min(3.0, max(1.0, math.log(seconds[1] / seconds[0]) / growth))
    return seconds[-1] * (len(samples) / len(parts[-1])) ** power


def _part(samples: Samples, signature: Signature, rows: int, seed: int) -> Samples:
    if rows >= len(samples):
        return samples
    strata = samples.targets.numpy() if isinstance(signature.output, Category) else None
    share = 1 - rows / len(samples)
    kept: np.ndarray = holdout(len(samples), share, seed, strata=strata)[0]
    return samples.take(kept)


def _time(rung: Solved, samples: Samples, signature: Signature, recipe: Recipe) -> float:
    start = time.perf_counter()
    rung.solve(samples, signature, recipe.seed)
    return time.perf_counter() - start
