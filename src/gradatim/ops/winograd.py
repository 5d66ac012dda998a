"""Convolutions of 3x3 with a quarter of the products, by machine code where it can be had.

Winograd's minimal filtering computes 4 x 4 results of a pair of channels with 36 products instead
of 144. The transforms before and after cost additions and memory, so that layers of 64 to 512
channels take half the time. It takes maps whose channels lie last, as `Fitting` lays them out;
where it cannot be had, and for other maps, torch's operation is called. Results differ by rounding,
of about 1e-5 of the largest number instead of 1e-6. GRADATIM_FUSED=0 in the environment makes it
call torch always.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops.compiled.winograd import Winograd, obstacle
from gradatim.ops.shortcuts import usual, watched

__all__ = ["applies", "convolve", "plain"]

CHANNELS, TILE = 32, 4
LEAST_TILES = 64
"""With fewer places, turning the kernels into 36 numbers takes longer than the products."""
MOST_WASTE = 1.75
"""Results of whole tiles for each one that is asked for."""


def convolve(
    x: Float[Tensor, "rows before h w"],
    weight: Float[Tensor, "after before 3 3"],
    bias: Float[Tensor, " after"] | None = None,
) -> Float[Tensor, "rows after h w"]:
    """Return the convolution at stride 1 with a border of one 0.

    y = A' [(G w G') . (B' x B)] A + b for every tile of 4 x 4 results.

    Source: Lavin & Gray 2016, section 4.3; Winograd 1980.

    >>> convolve(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    if not applies(x, weight):
        return plain(x, weight, bias)
    out: Tensor = Winograd.apply(x, weight)  # type: ignore[no-untyped-call]
    return out if bias is None else out + bias[:, None, None]


def plain(
    x: Float[Tensor, "rows before h w"],
    weight: Float[Tensor, "after before 3 3"],
    bias: Float[Tensor, " after"] | None = None,
) -> Float[Tensor, "rows after h w"]:
    """Return the same by torch."""
    return F.conv2d(x, weight, bias, padding=1)


def applies(x: Tensor, weight: Tensor) -> bool:
    """Tell whether the machine code takes these arguments, here and now, and pays."""
    return (
        not watched()
        and usual(x)
        and usual(weight)
        and _fits(x, weight)
        and _pays(x)
        and obstacle() is None
    )


def _fits(x: Tensor, weight: Tensor) -> bool:
    return (
        x.dim() == weight.dim() == 4
        and weight.shape[1:] == (x.shape[1], 3, 3)
        and x.shape[1] % CHANNELS == 0
        and len(weight) % CHANNELS == 0
        and x.is_contiguous(memory_format=torch.channels_last)
        and 0 not in (*x.shape, *weight.shape)
    )


def _pays(x: Tensor) -> bool:
    rows, _, height, width = x.shape
    tiles = -(-height // TILE) * -(-width // TILE)
    return rows * tiles >= LEAST_TILES and tiles * TILE**2 <= MOST_WASTE * height * width
