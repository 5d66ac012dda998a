"""AdaGrad: each parameter has its own rate, which falls as its gradients add up."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import nn

from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim._lists import parts

__all__ = ["OPTIMIZER", "AdaGrad"]


class AdaGrad(Optimizer):
    """r <- r + g^2;  w <- w - rate g / (sqrt(r) + 1e-10).

    r only grows, so the rate only falls.

    Source: Duchi, Hazan & Singer 2011; course 000, equations (39)-(40), where (40) prints r-hat
        and m-hat for r and g. Most implementations use rate = 0.01.
    Deviations: no weight decay; the recipe's l2 is part of the loss.
    """

    default_lr: ClassVar[float] = 0.01

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        self.state = {"sum": self.zeros()}

    @torch.no_grad()
    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter that has a gradient."""
        parameters, gradients, sums = parts(self, "sum")
        if parameters:
            torch._foreach_addcmul_(sums, gradients, gradients)
            roots = torch._foreach_sqrt(sums)
            torch._foreach_add_(roots, 1e-10)
            torch._foreach_addcdiv_(parameters, gradients, roots, value=-rate)


OPTIMIZER = AdaGrad
