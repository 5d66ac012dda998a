"""Settling: training that has learnt its rows is brought to its end, at whatever rate it stands."""

import math
from collections.abc import Callable

import torch

from gradatim.core.learner import Learner

__all__ = ["Settling"]

SETTLED = "settled"  # in a learner's memory: the step from which on the rate falls


class Settling:
    """A schedule that is cut short once the mean loss of an epoch is small.

    As published, until step s, at which the loss first is at most a share of log(classes), the loss
    of a guess; from there on, rate(s) (1 + cos(pi (t - s) / s)) / 2: down to 0 in as many steps as
    were taken, unless that is later than the end anyway. So rows that are easy to learn do not take
    as long as those that are hard, and nobody has to know beforehand which they are.

    The step s is in the learner's memory, and with it in every checkpoint.

    Args:
        learner: whose schedule this becomes.
        steps: of the whole run.
        loss: at or below which it settles; 0 never.
    """

    def __init__(self, learner: Learner, steps: int, loss: float) -> None:
        self.learner, self.steps, self.loss = learner, steps, loss
        self.planned: Callable[[int], float] = learner.schedule

    @property
    def end(self) -> int:
        """The step at which training ends."""
        settled = self.learner.memory.get(SETTLED)
        return self.steps if settled is None else min(self.steps, 2 * int(settled))

    def __call__(self, step: int) -> float:
        """Return the learning rate of a step."""
        settled = self.learner.memory.get(SETTLED)
        if settled is None or step < int(settled) or 2 * int(settled) >= self.steps:
            return self.planned(step)
        done = min(1.0, (step - int(settled)) / int(settled))
        return self.planned(int(settled)) * (1 + math.cos(math.pi * done)) / 2

    def look(self, loss: float) -> None:
        """Take note of the mean loss of an epoch that has just ended."""
        if self.loss > 0 and loss <= self.loss and SETTLED not in self.learner.memory:
            self.learner.memory[SETTLED] = torch.tensor(self.learner.step)
