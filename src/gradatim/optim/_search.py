"""Backtracking: the longest of some steps that lowers the loss enough."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.core.learner import Evaluate
from gradatim.optim._lists import move

__all__ = ["backtrack"]

ENOUGH, HALVINGS = 1e-4, 20


@torch.no_grad()
def backtrack(
    parameters: Sequence[nn.Parameter],
    direction: Float[Tensor, " numbers"],
    slope: float,
    rate: float,
    loss: float,
    evaluate: Evaluate,
) -> tuple[float, int]:
    """Go w - t d with the first t of rate, rate/2, rate/4, ... that lowers the loss enough.

    Enough is F(w - t d) <= F(w) - 10^-4 t g'd (Armijo). Where 20 halvings find none, the
    parameters stay as they were, bit for bit.

    Args:
        parameters: moved in place.
        direction: d, in the order of `flat`.
        slope: g'd, above 0 for a way down.
        rate: the longest step.
        loss: F(w).
        evaluate: gives F at the parameters as they are.

    Returns:
        t, 0 when nothing moved, and how many losses were evaluated.

    Source: Armijo 1966; Nocedal & Wright 2006, algorithm 3.1.
    """
    before = [p.detach().clone() for p in parameters]
    for tried in range(HALVINGS):
        length = rate / 2**tried
        move(parameters, direction, -length)
        if evaluate().item() <= loss - ENOUGH * length * slope:
            return length, tried + 1
        for parameter, old in zip(parameters, before, strict=True):
            parameter.copy_(old)
    return 0.0, HALVINGS
