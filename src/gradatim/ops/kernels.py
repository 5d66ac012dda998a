"""Kernels that somebody wrote by hand: blur and derivatives."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["gaussian_kernel", "sobel_kernels"]


def gaussian_kernel(dtype: torch.dtype = torch.float32) -> Float[Tensor, "3 3"]:
    """Return the 3x3 blur (1/16) [[1, 2, 1], [2, 4, 2], [1, 2, 1]].

    The outer product of (1, 2, 1) / 4 with itself: binomial coefficients, of variance 1/2 along
    each axis; blurs one after another come near a Gaussian. It sums to 1, so an even picture stays
    as it is.

    Source: course 001, section 5.2.2, example "Gaussian blur".

    Deviations: the course prints 1 for the element (2, 3); then the kernel sums to 15/16.

    >>> float(gaussian_kernel().sum())
    1.0
    """
    row = torch.tensor([1.0, 2.0, 1.0], dtype=dtype) / 4
    return torch.outer(row, row)


def sobel_kernels(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Return S_x = (1, 2, 1)^T (1, 0, -1) and S_y = S_x^T.

    The true convolution with them is positive where the picture gets brighter to the right (S_x)
    and downwards (S_y): 8 times the derivative a pixel. A convolution layer of deep learning does
    not turn the kernel around, and returns the negative.

    Source: course 001, section 5.2.2, example "Sobel operator".

    >>> sobel_kernels()[0]
    tensor([[ 1.,  0., -1.],
            [ 2.,  0., -2.],
            [ 1.,  0., -1.]])
    """
    smooth = torch.tensor([1.0, 2.0, 1.0], dtype=dtype)
    slope = torch.tensor([1.0, 0.0, -1.0], dtype=dtype)
    across = torch.outer(smooth, slope)
    return across, across.T.clone()
