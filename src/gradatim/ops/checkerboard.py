"""Why a transposed convolution draws a checkerboard: it covers its output unevenly."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

__all__ = ["coverage", "unevenness"]


def coverage(kernel: int, stride: int, length: int) -> Float[Tensor, " out"]:
    """Return how many places of the input touch each place of a transposed convolution's output.

    In two dimensions the counts of the two axes multiply.

    Args:
        kernel: side of the window.
        stride: by which the output is larger.
        length: places of the input.

    Source: Odena, Dumoulin & Olah 2016, "Deconvolution and checkerboard artifacts".

    >>> coverage(kernel=3, stride=2, length=4)
    tensor([1., 1., 2., 1., 2., 1., 2., 1., 1.])
    """
    ones = torch.ones(1, 1, length)
    return F.conv_transpose1d(ones, torch.ones(1, 1, kernel), stride=stride)[0, 0]


def unevenness(kernel: int, stride: int) -> float:
    """Return the variance of the coverage away from the borders; above 0 means a checkerboard.

    There the counts repeat after `stride` places. It is 0 exactly when the stride divides the
    kernel; a convolution after a resize has stride 1, so its own is always 0.

    >>> unevenness(3, 2), unevenness(4, 2), unevenness(3, 1)
    (0.25, 0.0, 0.0)
    """
    length = 2 * kernel + 1
    counts = coverage(kernel, stride, length)
    middle = (len(counts) - stride) // 2
    return float(counts[middle : middle + stride].var(correction=0))
