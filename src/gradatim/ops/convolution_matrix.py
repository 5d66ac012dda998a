"""A convolution as one matrix, so that all of linear algebra applies to it."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from gradatim.ops.convolution import output_size
from gradatim.ops.padding import each_axis

__all__ = ["convolution_matrix"]


def convolution_matrix(
    kernel: Float[Tensor, "after group *window"],
    size: Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Float[Tensor, "outputs inputs"]:
    """Return the matrix U with U x = the cross-correlation of x, both flattened row by row.

    U[(c, j, i), (k, r, q)] = sum over n, m of u[c, k, n, m] [r = s j + d n - p] [q = s i + d m - p]

    For one channel at stride 1 this is a doubly block Toeplitz matrix: blocks are constant along
    diagonals, and so are the numbers in each block. U^T is the transposed convolution: it has the
    shapes of an inverse and is none.

    Args:
        kernel: as in `gradatim.ops.convolution.cross_correlate`.
        size: places of the input along each axis, one or two numbers.
        stride: places between two positions of the kernel.
        padding: zeros at each end of each axis.
        dilation: places between two elements of the kernel.
        groups: parts of the channels that do not see one another.

    Returns:
        A dense matrix; (channels x places) of the output times those of the input. A picture of
        32 x 32 with one channel already has a million elements: for small maps.

    Raises:
        ConfigError: the kernel is larger than the padded input.

    Source: course 000, "Convolutions as matrix multiplications"; Dumoulin & Visin 2016, chapter 4.

    Deviations: the course prints a matrix of 5 x 15 and calls it circulant; its example has 4 x 16.

    >>> convolution_matrix(torch.tensor([[[1.0, 2.0]]]), [3])
    tensor([[1., 2., 0.],
            [0., 1., 2.]])
    """
    axes = kernel.ndim - 2
    strides, paddings = each_axis(stride, axes), each_axis(padding, axes)
    dilations = each_axis(dilation, axes)
    touches = [
        _touches(size[a], kernel.shape[2 + a], strides[a], paddings[a], dilations[a])
        for a in range(axes)
    ]
    whole = _ungrouped(kernel, groups)
    formula = "ckn,jnr->cjkr" if axes == 1 else "cknm,jnr,imq->cjikrq"
    matrix = torch.einsum(formula, whole, *[touch.to(kernel) for touch in touches])
    return matrix.flatten(0, axes).flatten(1)


def _touches(
    n: int, kernel: int, stride: int, padding: int, dilation: int
) -> Float[Tensor, "out window places"]:
    """Return 1 where element m of the kernel at position i touches place q = s i + d m - p."""
    out = output_size(n, kernel, stride, padding, dilation)
    place = stride * torch.arange(out)[:, None] + dilation * torch.arange(kernel) - padding
    return (place[:, :, None] == torch.arange(n)).float()


def _ungrouped(
    kernel: Float[Tensor, "after group *window"], groups: int
) -> Float[Tensor, "after before *window"]:
    """Return the kernel with zeros for the channels of other groups."""
    parts = kernel.unflatten(0, (groups, -1))
    same = torch.eye(groups, dtype=kernel.dtype, device=kernel.device)
    return torch.einsum("gck...,gh->gchk...", parts, same).flatten(2, 3).flatten(0, 1)
