"""The one training loop: a generator of records. Whoever iterates decides what to do with them."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.core.learner import Learner
from gradatim.core.randomness import seed_for
from gradatim.core.samples import Samples
from gradatim.core.task import Task

__all__ = ["Record", "train"]


@dataclass(frozen=True)
class Record:
    """The mean of what a task reported since the last record.

    `step` counts finished steps; `rate` is the learning rate of the last one; `seconds` is the
    time since the loop began.
    """

    step: int
    steps: int
    rate: float
    seconds: float
    values: Mapping[str, float]


def train(
    task: Task, learner: Learner, draw: Callable[[int], Samples], steps: int, every: int
) -> Iterator[Record]:
    """Train until `steps` steps are done, yielding a record every `every` steps and at the end.

    Args:
        task: gives the step.
        learner: goes on from its own step count, so a restored learner resumes.
        draw: the batch of a step; a function of the step alone, so order survives a resume.
        steps: in all, counted from step 0.
        every: steps between records.

    Yields:
        Records; between two of them the caller may read, save or stop. The global generator of
        torch is the caller's again at every yield.

    Raises:
        NumericError: a loss or gradient is not finite; the parameters of that step did not move.
    """
    start = time.monotonic()
    while learner.step < steps:
        rate = learner.schedule(learner.step)
        stop = min(steps, (learner.step // every + 1) * every)
        sums = _run(task, learner, draw, stop)
        means = {name: (total / count).item() for name, (total, count) in sums.items()}
        yield Record(learner.step, steps, rate, time.monotonic() - start, means)


def _run(
    task: Task, learner: Learner, draw: Callable[[int], Samples], stop: int
) -> dict[str, tuple[Tensor, int]]:
    sums: dict[str, tuple[Tensor, int]] = {}
    with torch.random.fork_rng(devices=[]):
        while learner.step < stop:
            # Chance inside a model (dropout) is a function of the step too.
            torch.default_generator.manual_seed(seed_for(learner.seed, "model", learner.step))
            for name, value in task.step(learner, draw(learner.step)).items():
                total, count = sums.get(name, (torch.zeros((), dtype=torch.float64), 0))
                sums[name] = (total + value, count + 1)
            learner.step += 1
    return sums
