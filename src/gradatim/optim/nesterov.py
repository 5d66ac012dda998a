"""Nesterov's momentum: the gradient is taken where the momentum is about to lead."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import nn

from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim._lists import decay, parts

__all__ = ["OPTIMIZER", "Nesterov"]


class Nesterov(Optimizer):
    """u <- gamma u + rate (g + decay w);  w <- w - gamma u - rate (g + decay w).

    With v = w + gamma u, the point before the look ahead, this is u <- gamma u + rate g(v -
    gamma u); v <- v - u, Nesterov's form: what is kept as w is the point that looks ahead.

    Source: Nesterov 1983; Sutskever et al. 2013, equations (3)-(4); Bengio, Boulanger-Lewandowski
        & Pascanu 2013, equation (7), for the change of variables.
    Deviations: gamma is constant; decay touches weight matrices and kernels, not biases and gains.
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
            slopes = decay(parameters, gradients, self.decay)
            torch._foreach_mul_(velocities, self.gamma)
            torch._foreach_add_(velocities, slopes, alpha=rate)
            torch._foreach_sub_(parameters, velocities, alpha=self.gamma)
            torch._foreach_sub_(parameters, slopes, alpha=rate)


OPTIMIZER = Nesterov
