"""L-BFGS: curvature from the last steps and how the gradient changed over them."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.core.errors import NumericError
from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim._lists import chosen, flat, gradient, parts
from gradatim.optim._search import backtrack

__all__ = ["OPTIMIZER", "Lbfgs", "two_loop"]

CURVED = 1e-8  # s'y / (|s| |y|) from which on a pair says something about curvature


class Lbfgs(Optimizer):
    """w <- w - t B g, with B from the last pairs (s, y) and t = rate, rate/2, ... by backtracking.

    s is a step, y the change of the gradient over it. In the first step B g is g / max(1, |g|).

    Cost: 2 1/3 gradients a step, and a third of one for every t.
    Source: Nocedal & Wright 2006, algorithms 7.4 and 7.5; y on the batch of the step: Schraudolph,
        Yu & Günter 2007.
    Deviations: Armijo's condition instead of Wolfe's, so a pair with s'y <= 1e-8 |s| |y| is left
        out. No weight decay but the recipe's l2.
    """

    looks_again: ClassVar[bool] = True
    elementwise: ClassVar[bool] = False
    default_lr: ClassVar[float] = 1.0

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        for name in ("step", "change"):
            self.state[name] = [p.new_zeros(choice.history, *p.shape) for p in self.parameters]
        self.state["pairs"] = [torch.zeros((), dtype=torch.int64)]

    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter that has a gradient.

        Raises:
            NumericError: the direction is not finite; nothing has moved.
        """
        places = chosen(self)
        if not places:
            return
        members = [self.parameters[i] for i in places]
        g = flat(parts(self)[1])
        steps, changes = self._pairs(places)
        direction = two_loop(g, steps, changes) if len(steps) else g / g.norm().clamp_min(1)
        if not torch.isfinite(direction).all():
            raise NumericError("the direction of lbfgs is not finite; try another optimizer.name")
        slope = torch.dot(g, direction).item()
        with torch.no_grad():
            loss = evaluate().item()
        length, looks = backtrack(members, direction, slope, rate, loss, evaluate)
        new = flat(gradient(evaluate, members)[1])
        self._remember(places, -length * direction, new - g)
        self.evaluations = 1 + (1 + looks) / 3

    def _pairs(self, places: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the pairs from old to new, a row each."""
        count = min(int(self.state["pairs"][0]), len(self.state["step"][0]))
        kept = [
            torch.cat([self.state[name][i][:count].flatten(1) for i in places], 1).flip(0)
            for name in ("step", "change")
        ]
        return kept[0], kept[1]

    @torch.no_grad()
    def _remember(self, places: Sequence[int], s: Tensor, y: Tensor) -> None:
        """Put a pair in front of the others; the oldest falls out."""
        if not torch.dot(s, y) > CURVED * s.norm() * y.norm():
            return
        sizes = [self.parameters[i].numel() for i in places]
        for name, vector in (("step", s), ("change", y)):
            for i, piece in zip(places, vector.split(sizes), strict=True):
                kept = self.state[name][i]
                kept.copy_(kept.roll(1, 0))
                kept[0] = piece.view_as(kept[0])
        self.state["pairs"][0] += 1


def two_loop(
    g: Float[Tensor, " numbers"],
    steps: Float[Tensor, "pairs numbers"],
    changes: Float[Tensor, "pairs numbers"],
) -> Float[Tensor, " numbers"]:
    """Return B g for the inverse Hessian B that BFGS makes of the pairs, from (s'y / y'y) I.

    Args:
        g: a gradient.
        steps: s, from old to new, at least one.
        changes: y, aligned with them.

    Source: Nocedal & Wright 2006, algorithm 7.4 and equation (7.20).
    """
    rho = 1 / (steps * changes).sum(1)
    q, alphas = g.clone(), list[Tensor]()
    for s, y, r in zip(steps.flip(0), changes.flip(0), rho.flip(0), strict=True):
        alphas.append(r * torch.dot(s, q))
        q = q - alphas[-1] * y
    q = q / (rho[-1] * changes[-1].square().sum())
    for s, y, r in zip(steps, changes, rho, strict=True):
        q = q + (alphas.pop() - r * torch.dot(y, q)) * s
    return q


OPTIMIZER = Lbfgs
