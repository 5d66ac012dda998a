"""The one training loop: a generator of records. Whoever iterates decides what to do with them."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.core.learner import Learner
from gradatim.core.randomness import seed_for
from gradatim.core.samples import Samples
from gradatim.core.task import Task

__all__ = ["ONE", "PREFIX", "Record", "Sums", "out_of_memory", "train"]

PREFIX = "record."  # of sums in a learner's memory
ONE = torch.ones(())


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
    task: Task,
    learner: Learner,
    draw: Callable[[int], Samples],
    steps: int,
    every: int,
    pause: float = math.inf,
) -> Iterator[Record | None]:
    """Train until `steps` steps are done, yielding a record every `every` steps and at the end.

    Args:
        task: gives the step.
        learner: goes on from its own step count, so a restored learner resumes, also between two
            records: what is summed up for the next one is part of its memory.
        draw: the batch of a step; a function of the step alone, so order survives a resume.
        steps: in all, counted from step 0.
        every: steps between records.
        pause: seconds after which None is yielded at the end of a step.

    Yields:
        Records, and None at pauses; at both the caller may read, save or stop. The global
        generator of torch is the caller's again at every yield.

    Raises:
        NumericError: a loss or gradient is not finite; the parameters of that step did not move.
    """
    start = time.monotonic()
    while learner.step < steps:
        stop = min(steps, (learner.step // every + 1) * every)
        while not _run(task, learner, draw, stop, time.monotonic() + pause):
            yield None
        rate, means = learner.schedule(learner.step - 1), Sums(learner.memory).means()
        yield Record(learner.step, steps, rate, time.monotonic() - start, means)


def _run(
    task: Task, learner: Learner, draw: Callable[[int], Samples], stop: int, until: float
) -> bool:
    """Take steps up to `stop`, or until it is time to pause; tell whether `stop` is reached."""
    sums = Sums(learner.memory)
    with torch.random.fork_rng(devices=[]):
        while learner.step < stop:
            sums.add(_step(task, learner, draw(learner.step)))
            learner.step += 1
            if time.monotonic() > until:
                break
    return learner.step == stop


def _step(task: Task, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
    """Take one step; where the memory does not suffice, cut the batch and take it again."""
    while True:
        # Chance inside a model (dropout) is a function of the step too.
        torch.default_generator.manual_seed(seed_for(learner.seed, "model", learner.step))
        try:
            return task.step(learner, batch)
        except RuntimeError as error:
            if not out_of_memory(error) or not learner.cuts or learner.pieces >= len(batch):
                raise
            learner.pieces *= 2


def out_of_memory(error: RuntimeError) -> bool:
    """Tell whether torch found no memory for a tensor."""
    known = isinstance(error, torch.OutOfMemoryError)
    return known or "can't allocate memory" in str(error)


class Sums:
    """What steps reported since the last record, added up in a learner's memory.

    Args:
        memory: of the learner; sums are float64, and in the order of the steps.
    """

    def __init__(self, memory: dict[str, Tensor]) -> None:
        self.memory = memory

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add the report of one step."""
        for name, value in {**values, "steps": ONE}.items():
            total = self.memory.get(PREFIX + name)
            if total is None:
                total = self.memory[PREFIX + name] = torch.zeros_like(value, dtype=torch.float64)
            total += value

    def means(self) -> dict[str, float]:
        """Return the means over the steps, and begin anew."""
        names = [name for name in self.memory if name.startswith(PREFIX)]
        sums = {name.removeprefix(PREFIX): self.memory.pop(name).item() for name in names}
        count = sums.pop("steps")
        return {name: total / count for name, total in sums.items()}
