"""Stochastic gradient descent, with momentum when asked."""

from collections.abc import Sequence

import torch
from torch import nn

from gradatim.core.learner import Optimizer
from gradatim.core.recipe import OptimizerChoice

__all__ = ["OPTIMIZER", "Sgd"]


class Sgd(Optimizer):
    """u <- momentum u + g + decay w;  w <- w - rate u.

    Source: course 000, equations (34)-(38), with 0 <= momentum < 1.
    Deviations: the rate multiplies u when it is applied (as in torch), not when it is summed, so
        a change of the rate acts at once; for a constant rate both are the same.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        self.momentum, self.decay = choice.momentum, choice.weight_decay
        self.state = {"velocity": self.zeros()}

    @torch.no_grad()
    def update(self, rate: float) -> None:
        """Move every parameter that has a gradient."""
        for parameter, velocity in zip(self.parameters, self.state["velocity"], strict=True):
            if parameter.grad is not None:
                velocity.mul_(self.momentum).add_(parameter.grad)
                velocity.add_(parameter, alpha=self.decay)
                parameter.sub_(velocity, alpha=rate)


OPTIMIZER = Sgd
