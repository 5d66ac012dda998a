"""How long a fit will take: measured on a small part, never guessed."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from gradatim.core.randomness import generator
from gradatim.core.recipe import Recipe
from gradatim.core.rung import Rung, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.core.task import Task
from gradatim.ops.folds import holdout
from gradatim.train.fitting import Fitting
from gradatim.train.stacked import Stacked, alike

__all__ = ["Forecast", "forecast"]

SMALL, LARGE = 125, 500
FEWEST, PIXELS = 8, 2**21
"""Of large rows fewer are enough: so many as have that many numbers together, but at least 8."""
PATIENCE = 0.1
CLEARLY = 1.25
"""Times the seconds alone, from which on a stack is clearly slower; stacks of small networks are
mostly faster, and noise must not have two climbs choose differently."""


@dataclass(frozen=True)
class Forecast:
    """Seconds of one fit: `alone`, and `stacked`, its share when all folds are one model."""

    alone: float
    stacked: float | None = None

    @property
    def together(self) -> bool:
        """Whether folds are to be trained as one model."""
        return self.stacked is not None and self.stacked < CLEARLY * self.alone

    @property
    def seconds(self) -> float:
        """What one fit of a climb takes."""
        return self.stacked if self.stacked is not None and self.together else self.alone

    def as_dict(self) -> dict[str, float | None]:
        """Return the forecast under its names."""
        return asdict(self)


def forecast(
    rung: Rung,
    task: Task,
    samples: Samples,
    signature: Signature,
    recipe: Recipe,
    folds: int = 1,
) -> Forecast:
    """Return what one fit on all of `samples` will take, at the most.

    A solver is timed on 125 and 500 rows (fewer where a row is large) and extended by the power of
    n seen between them (at least linear, at most cubic); a network is timed for some steps and
    extended to its last epoch, though early stopping may end it sooner. Where `folds` of it can be
    stacked, some steps of the stack are timed too, and the faster way is told.
    """
    if isinstance(rung, Solved):
        return Forecast(_solver(rung, task, samples, signature, recipe))
    fitting = Fitting(rung, task, samples, signature, recipe)
    alone = _seconds(fitting.move)
    if folds < 2 or not alike([fitting]):
        return Forecast(alone * fitting.steps)
    few = _part(samples, signature, 4 * recipe.batch, recipe.seed)
    endless = recipe.model_copy(update={"epochs": 100_000, "validation": 0.0})
    members = [Fitting(rung, task, few, signature, endless) for _ in range(folds)]
    steps = Stacked(members).run(0.0)
    stacked = _seconds(lambda: next(steps)) / folds
    return Forecast(alone * fitting.steps, stacked * fitting.steps)


def _seconds(move: Callable[[], object]) -> float:
    """Return the mean seconds of a step, the first one aside, which pays for a warm start."""
    move()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < PATIENCE:
        move()
        steps += 1
    return (time.perf_counter() - start) / steps


def _solver(
    rung: Solved, task: Task, samples: Samples, signature: Signature, recipe: Recipe
) -> float:
    room = max(FEWEST, PIXELS // samples.inputs[0].numel())
    sizes = [n for n in (min(SMALL, room), min(LARGE, 2 * room)) if n < len(samples)]
    sizes = sizes or [len(samples)]
    parts = [_part(samples, signature, n, recipe.seed) for n in sizes]
    seconds = [_time(rung, task, part, signature, recipe) for part in parts]
    if len(parts) == 1 or seconds[0] > seconds[1] / 2:  # the first call may have paid for imports
        seconds[0] = min(seconds[0], _time(rung, task, parts[0], signature, recipe))
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


def _time(
    rung: Solved, task: Task, samples: Samples, signature: Signature, recipe: Recipe
) -> float:
    samples = task.renewed(samples, generator(recipe.seed, "forecast"))
    start = time.perf_counter()
    rung.solve(samples, signature, recipe.seed)
    return time.perf_counter() - start
