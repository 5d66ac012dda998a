"""RMSProp: AdaGrad that forgets, so the rate may rise again."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import nn

from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim._lists import parts

__all__ = ["OPTIMIZER", "RmsProp"]


class RmsProp(Optimizer):
    """r <- rho r + (1 - rho) g^2;  w <- w - rate g / (sqrt(r) + 1e-8).

    Source: Tieleman & Hinton 2012, lecture 6e; course 000, equations (41)-(42), which average the
        squared gradient and where (42) prints r-hat and m-hat for r and g.
    Deviations: no weight decay; the recipe's l2 is part of the loss.
    """

    default_lr: ClassVar[float] = 1e-3

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        self.rho = choice.rho
        self.state = {"square": self.zeros()}

    @torch.no_grad()
    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter that has a gradient."""
        parameters, gradients, squares = parts(self, "square")
        if parameters:
            torch._foreach_mul_(squares, self.rho)
            torch._foreach_addcmul_(squares, gradients, gradients, value=1 - self.rho)
            roots = torch._foreach_sqrt(squares)
            torch._foreach_add_(roots, 1e-8)
            torch._foreach_addcdiv_(parameters, gradients, roots, value=-rate)


OPTIMIZER = RmsProp
