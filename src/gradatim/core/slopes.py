"""Gradients of single rows: the loss of a row by the outputs of that row."""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["slopes_of"]


def slopes_of(
    losses: Callable[[Tensor, Tensor], Tensor], outputs: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor]:
    """Return losses, and the gradient of each by the outputs of its row.

    Args:
        losses: of outputs and targets, one a row; rows do not know each other.
        outputs: rows first.
        targets: rows first.

    >>> slopes_of(lambda z, t: (z - t).square().sum(1), torch.tensor([[3.0]]), torch.ones(1, 1))
    (tensor([4.]), tensor([[4.]]))
    """
    with torch.enable_grad():
        outputs = outputs.detach().requires_grad_()
        found = losses(outputs, targets)
        (slopes,) = torch.autograd.grad(found.sum(), outputs)
    return found.detach(), slopes
