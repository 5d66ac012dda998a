"""Convolution, ReLU and 2x2 max-pooling in one pass, by machine code where it can be had.

The first layers of small networks read few channels, and there torch reaches a tenth of the
machine's rate; ReLU and pooling cost as much again. `fused_convolution.c` keeps the four places
of a window in registers until their maximum is known, and leads the gradient through the place that
won: a quarter of the work.

Where the machine code cannot be had, or does not take what it is given, `convolve_relu_pool` calls
three operations of torch; the results differ by rounding. GRADATIM_FUSED=0 in the environment makes
it call those always.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops.compiled.fused_convolution import PADDINGS, SIDES, obstacle
from gradatim.ops.shortcuts import usual, watched

__all__ = ["applies", "convolve_relu_pool", "plain"]

MOST_NUMBERS = 2**22
"""Of one picture: the machine code copies several, and counts their places in 32 bits."""
MOST_CHANNELS = 64
"""With more to read at each place, torch's own convolutions are as fast."""


def convolve_relu_pool(
    x: Float[Tensor, "rows before h w"],
    weight: Float[Tensor, "after before down across"],
    bias: Float[Tensor, " after"],
    padding: int = 0,
) -> Float[Tensor, "rows after h2 w2"]:
    """Return the largest value of every 2x2 window of max(0, W x + b).

    Of equal values the first in the window wins and gets the gradient; where none is above 0, none
    does. NaN wins over all, so that it is seen.

    Args:
        x: pictures, in whatever order in memory.
        weight: kernels.
        bias: one a kernel.
        padding: zeros at each border.

    Source: docs/decisions/0006-fused-convolution.md.

    >>> x = torch.arange(36.0).view(1, 1, 6, 6)
    >>> convolve_relu_pool(x, torch.ones(1, 1, 3, 3), torch.zeros(1))
    tensor([[[[126., 144.],
              [234., 252.]]]])
    """
    if not applies(x, weight, bias, padding):
        return plain(x, weight, bias, padding)
    out: Tensor = torch.ops.gradatim.convolve_relu_pool.default(x, weight, bias, padding)[0]
    return out


def plain(
    x: Float[Tensor, "rows before h w"],
    weight: Float[Tensor, "after before down across"],
    bias: Float[Tensor, " after"],
    padding: int = 0,
) -> Float[Tensor, "rows after h2 w2"]:
    """Return the same by three operations of torch."""
    return F.max_pool2d(F.relu(F.conv2d(x, weight, bias, padding=padding)), 2)


def applies(x: Tensor, weight: Tensor, bias: Tensor, padding: int = 0) -> bool:
    """Tell whether the machine code takes these arguments, here and now."""
    return (
        not watched()
        and _fits(x, weight, bias, padding)
        and all(map(usual, (x, weight, bias)))
        and obstacle() is None
    )


def _fits(x: Tensor, weight: Tensor, bias: Tensor, padding: int) -> bool:
    if x.dim() != 4 or weight.dim() != 4 or padding not in PADDINGS or not x.numel():
        return False
    after, _, side, _ = weight.shape
    return (
        side in SIDES
        and weight.shape == (after, x.shape[1], side, side)
        and bias.shape == (after,)
        and x.shape[1] <= MOST_CHANNELS
        and after > 0
        and min(x.shape[2:]) + 2 * padding - side >= 1
        and x.numel() <= MOST_NUMBERS * len(x)
    )
