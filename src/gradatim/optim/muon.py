"""Muon: momentum made orthogonal for weight matrices, AdamW for everything else."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim.adamw import AdamW

__all__ = ["OPTIMIZER", "Muon", "orthogonal"]

A, B, C, STEPS = 3.4445, -4.7750, 2.0315, 5


class Muon(Optimizer):
    """M <- u M + (1 - u) G;  W <- (1 - rate decay) W - rate 0.2 sqrt(max(n, m)) O, W of n x m.

    O is near the orthogonal matrix next to (1 - u) G + u M: its singular values are all moved
    into about 0.7 to 1.2, so that every direction is learnt as fast. A kernel is a matrix with a
    row a filter. Biases, gains and other vectors follow adamw.

    Source: Jordan 2024, "Muon: an optimizer for hidden layers in neural networks"; the scale, by
        which a step is as long as one of adamw at the same rate: Liu et al. 2025, equation (4).
    Deviations: momentum u is the recipe's (0.9; the source has 0.95); float32 instead of bfloat16;
        first and last layer are matrices as all others.
    """

    elementwise: ClassVar[bool] = False
    default_lr: ClassVar[float] = 0.01

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        self.memory, self.decay = choice.momentum, choice.weight_decay
        self.matrices = [p for p in self.parameters if p.dim() > 1]
        self.rest = AdamW([p for p in self.parameters if p.dim() <= 1], choice)
        self.state = {"momentum": [torch.zeros_like(p) for p in self.matrices], **self.rest.state}

    @torch.no_grad()
    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter that has a gradient."""
        for matrix, memory in zip(self.matrices, self.state["momentum"], strict=True):
            if matrix.grad is not None:
                memory.lerp_(matrix.grad, 1 - self.memory)
                ahead = matrix.grad.lerp(memory, self.memory).flatten(1)
                scale = 0.2 * max(ahead.shape) ** 0.5
                matrix.mul_(1 - rate * self.decay)
                matrix.sub_(orthogonal(ahead).view_as(matrix), alpha=rate * scale)
        self.rest.update(rate, evaluate)


def orthogonal(matrix: Float[Tensor, "n m"]) -> Float[Tensor, "n m"]:
    """Return U S V' with all S near 1, for U S0 V' = matrix: five Newton-Schulz steps.

    X <- 3.4445 X - 4.7750 (X X') X + 2.0315 (X X')^2 X, from X = matrix / |matrix|.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp_min(1e-7)
    for _ in range(STEPS):
        square = x @ x.T
        x = A * x + (B * square + C * square @ square) @ x
    return x.T if tall else x


OPTIMIZER = Muon
