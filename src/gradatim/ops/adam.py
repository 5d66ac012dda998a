"""One update by Adam, by machine code for large tensors and by torch's kernel for the others."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gradatim.ops.compiled.step import move, obstacle
from gradatim.ops.shortcuts import usual, watched

__all__ = ["adam"]

LARGE = 2**18
"""Numbers of a tensor from which machine code moves it: its threads end with the call, where those
of torch would go on spinning beside other machine code."""


@torch.no_grad()
def adam(
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    means: Sequence[Tensor],
    squares: Sequence[Tensor],
    counts: Sequence[Tensor],
    *,
    rate: float,
    decay: float = 0.0,
) -> None:
    """Do w <- (1 - rate decay) w - rate m^ / (sqrt(v^) + 1e-8), with b1 = 0.9, b2 = 0.999.

    m and v are moving averages of g and g^2; the hats divide by 1 - b^t.

    Args:
        parameters: w.
        gradients: g.
        means: m.
        squares: v.
        counts: t of every tensor, before this update.
        rate: the learning rate.
        decay: the share of w that goes, in units of the rate.

    Source: Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2.
    """
    torch._foreach_add_(list(counts), 1)
    each = list(zip(parameters, gradients, means, squares, counts, strict=True))
    others = []
    for given in each:
        if _by_machine_code(*given[:4]):
            *tensors, count = given
            betas, t = (0.9, 0.999), count.item()
            move(*tensors, count=t, rate=rate, betas=betas, decay=decay, tiny=1e-8)
        else:
            others.append(given)
    if others:
        _by_torch([list(column) for column in zip(*others, strict=True)], rate, decay)


def _by_machine_code(*tensors: Tensor) -> bool:
    """Tell whether the machine code takes a parameter, its gradient and its moments."""
    if tensors[0].numel() < LARGE:
        return False
    tight = all(usual(tensor) and tensor.is_contiguous() for tensor in tensors)
    return tight and not watched() and obstacle() is None


def _by_torch(columns: Sequence[list[Tensor]], rate: float, decay: float) -> None:
    # torch.optim would import torch._dynamo (1.7 s) to call this same kernel.
    parameters, gradients, means, squares, counts = columns
    torch._fused_adamw_(
        parameters,
        gradients,
        means,
        squares,
        [],
        counts,
        lr=rate,
        beta1=0.9,
        beta2=0.999,
        weight_decay=decay,
        eps=1e-8,
        amsgrad=False,
        maximize=False,
    )
