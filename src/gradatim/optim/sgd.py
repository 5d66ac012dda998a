"""Gradient descent: of one sample, of a mini-batch or of all rows, as the recipe's batch says."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import nn

from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim._lists import decay, parts

__all__ = ["OPTIMIZER", "Sgd"]


class Sgd(Optimizer):
    """w <- w - rate (g + decay w).

    batch = 1 is descent sample by sample; a batch as large as the data is full gradient descent.

    Source: course 000, equations (26)-(34).
    Deviations: g is the gradient of the mean loss of the batch, not of the sum: the same rate
        suits all batches. Decay touches weight matrices and kernels, not biases and gains.
    """

    default_lr: ClassVar[float] = 0.1

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        self.decay = choice.weight_decay

    @torch.no_grad()
    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter that has a gradient."""
        parameters, gradients = parts(self)
        if parameters:
            torch._foreach_sub_(parameters, decay(parameters, gradients, self.decay), alpha=rate)


OPTIMIZER = Sgd
