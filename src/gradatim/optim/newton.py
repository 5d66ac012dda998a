"""Newton's method for networks: curvature by products with the Hessian, never the Hessian."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.core.errors import ConfigError, NumericError
from gradatim.core.learner import Evaluate, Optimizer
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim._lists import chosen, flat, gradient
from gradatim.optim._search import backtrack

__all__ = ["OPTIMIZER", "Newton", "conjugate"]

Product = Callable[[Tensor], Tensor]
EXACT = 1e-12  # of the squared residual, as a share of the first: the system counts as solved


class Newton(Optimizer):
    """w <- w - t d, with (H + damping I) d = g and t = rate, rate/2, ... by backtracking.

    d comes from conjugate gradients, which ask for products H v alone: the derivative of g'v. They
    end early where the curvature is not positive, so d always leads down.

    Cost: 2 + 2 iterations gradients a step, and a third of one for every t.
    Source: course 000, "Adaptive learning rate" ("second order gradient descent. But it is too
        heavy"); Pearlmutter 1994 (products); Nocedal & Wright 2006, algorithm 7.1; Martens 2010.
    Fails when: batches are small: a step then fits its batch, and undoes the one before.
    Deviations: damping is constant; H is that of the batch; conjugate gradients start anew in
        every step and end after the recipe's iterations. No weight decay but the recipe's l2.
    """

    looks_again: ClassVar[bool] = True
    elementwise: ClassVar[bool] = False
    default_lr: ClassVar[float] = 1.0
    default_batch: ClassVar[int | None] = 2048

    def __init__(self, parameters: Sequence[nn.Parameter], choice: OptimizerChoice) -> None:
        super().__init__(parameters)
        self.damping, self.iterations = choice.damping, choice.iterations

    def update(self, rate: float, evaluate: Evaluate) -> None:
        """Move every parameter that has a gradient.

        Raises:
            NumericError: the direction is not finite; nothing has moved.
            ConfigError: a layer of the network has no second derivative.
        """
        members = [self.parameters[i] for i in chosen(self)]
        if not members:
            return
        loss, slopes = gradient(evaluate, members, again=True)
        g = flat(slopes)
        products = 0

        def curved(v: Tensor) -> Tensor:
            nonlocal products
            products += 1
            return _product(g, members, v) + self.damping * v

        direction = conjugate(curved, g.detach(), self.iterations)
        slope = torch.dot(g.detach(), direction).item()
        if not torch.isfinite(direction).all():
            raise NumericError("newton's direction is not finite; try a higher optimizer.damping")
        _, looks = backtrack(members, direction, slope, rate, loss.item(), evaluate)
        self.evaluations = 1 + 2 * products + looks / 3


def _product(g: Tensor, parameters: Sequence[nn.Parameter], v: Tensor) -> Tensor:
    """Return H v, the derivative of g'v."""
    if not g.requires_grad:
        return torch.zeros_like(v)  # a linear loss
    try:
        slopes = torch.autograd.grad(
            torch.dot(g, v),
            parameters,
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
    except RuntimeError as error:
        if "derivative" not in str(error):
            raise
        text = "newton needs second derivatives, and a layer of this network has none"
        raise ConfigError(f"{text}; choose another optimizer.name") from error
    return flat(slopes)


def conjugate(
    product: Product, g: Float[Tensor, " numbers"], iterations: int
) -> Float[Tensor, " numbers"]:
    """Return d with A d = g, as nearly as `iterations` allow.

    Where the curvature is not positive, d is what was found so far, and g when nothing was.

    Args:
        product: v -> A v, A symmetric.
        g: the right side.
        iterations: at the most.
    """
    d, r = torch.zeros_like(g), g.clone()
    p, left = r, torch.dot(r, r)
    end = EXACT * left
    for i in range(iterations):
        ap = product(p)
        bend = torch.dot(p, ap)
        if bend <= 0:
            return d if i else g
        step = left / bend
        d, r = d + step * p, r - step * ap
        rest = torch.dot(r, r)
        if rest <= end:
            break
        p, left = r + (rest / left) * p, rest
    return d


OPTIMIZER = Newton
