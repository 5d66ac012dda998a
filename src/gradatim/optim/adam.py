"""Adam: momentum and a rate of its own for every parameter."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import nn

from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.ops.adam import adam
from gradatim.optim._lists import parts

__all__ = ["OPTIMIZER", "Adam"]


class Adam(Optimizer):
    """w <- w - rate m^ / (sqrt(v^) + 1e-8), with b1 = 0.9, b2 = 0.999.

    m <- b1 m + (1 - b1) g and v <- b2 v + (1 - b2) g^2; the hats divide by 1 - b1^t and 1 - b2^t,
    t counted from 1, for both averages begin at 0.

    Source: Kingma & Ba 2015, algorithm 1; course 000, equations (43)-(47), where the printed hats
        lack the power t.
    Deviations: no weight decay, which is adamw's; the recipe's l2 is part of the loss, and so of m
        and v.
    """

    default_lr: ClassVar[float] = 1e-3

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        self.state = {"mean": self.zeros(), "square": self.zeros()}
        self.state["count"] = [torch.zeros((), device=p.device) for p in self.parameters]

    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter that has a gradient."""
        parameters, gradients, means, squares, counts = parts(self, "mean", "square", "count")
        if parameters:
            adam(parameters, gradients, means, squares, counts, rate=rate)


OPTIMIZER = Adam
