"""Momentum: the step remembers the steps before it."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import nn

from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim._lists import decay, parts

__all__ = ["OPTIMIZER", "Momentum"]


class Momentum(Optimizer):
    """u <- gamma u + rate (g + decay w);  w <- w - u.

    Source: Polyak 1964; course 000, equations (35)-(38), with 0 <= gamma < 1.
    Deviations: decay touches weight matrices and kernels, not biases and gains. (torch multiplies
        u by the rate when it is applied; for a constant rate both are the same.)
    """

    default_lr: ClassVar[float] = 0.05

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        self.gamma, self.decay = choice.momentum, choice.weight_decay
        self.state = {"velocity": self.zeros()}

    @torch.no_grad()
    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter that has a gradient."""
        parameters, gradients, velocities = parts(self, "velocity")
        if parameters:
            torch._foreach_mul_(velocities, self.gamma)
            torch._foreach_add_(velocities, decay(parameters, gradients, self.decay), alpha=rate)
            torch._foreach_sub_(parameters, velocities)


OPTIMIZER = Momentum
