"""AdamW: moving averages of the gradient and its square, weight decay apart from both."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.ops.adam import adam

__all__ = ["OPTIMIZER", "AdamW"]


class AdamW(Optimizer):
    """w <- (1 - rate decay) w - rate m^ / (sqrt(v^) + 1e-8), with b1 = 0.9, b2 = 0.999.

    m and v are moving averages of g and g^2; the hats divide by 1 - b^t, t counted from 1.

    Source: Kingma & Ba 2015; Loshchilov & Hutter 2019; course 000, equations (43)-(47), where the
        printed hats lack the power t.
    Deviations: decay touches weight matrices and kernels, not biases and gains (one-dimensional).
    """

    default_lr: ClassVar[float] = 1e-3

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        self.state = {"mean": self.zeros(), "square": self.zeros(), "count": []}
        self.state["count"] = [torch.zeros((), device=p.device) for p in self.parameters]
        self._parts = [
            ([i for i, p in enumerate(self.parameters) if p.dim() > 1], choice.weight_decay),
            ([i for i, p in enumerate(self.parameters) if p.dim() <= 1], 0.0),
        ]

    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter that has a gradient."""
        for members, decay in self._parts:
            gradients = {i: self.parameters[i].grad for i in members}
            given = {i: g for i, g in gradients.items() if g is not None}
            if given:
                self._fused(given, rate, decay)

    def _fused(self, gradients: dict[int, Tensor], rate: float, decay: float) -> None:
        own = ([self.state[name][i] for i in gradients] for name in ("mean", "square", "count"))
        parameters = [self.parameters[i] for i in gradients]
        adam(parameters, list(gradients.values()), *own, rate=rate, decay=decay)


OPTIMIZER = AdamW
