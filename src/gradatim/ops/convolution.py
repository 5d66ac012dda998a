"""Convolution and cross-correlation, and the sizes of what they return.

What deep learning calls a convolution is the cross-correlation: the window is laid on the map as it
is. The convolution of mathematics turns it around first. A learnt kernel may lie either way round;
a kernel with a sign, such as Sobel's, may not.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.ops.padding import each_axis, pad

__all__ = ["convolve", "cross_correlate", "output_size", "transposed_output_size"]


def cross_correlate(
    x: Float[Tensor, "rows before *places"],
    kernel: Float[Tensor, "after group *window"],
    bias: Float[Tensor, " after"] | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    strategy: str = "zeros",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "rows after *out"]:
    """Lay the kernel on every place of the maps and sum the products.

    o[c, j, i] = b[c] + sum over k, n, m of f[k, s j + d n - p, s i + d m - p] u[c, k, n, m]

    Args:
        x: signals (one axis of places) or pictures (two).
        kernel: for each channel of the output, one window for each channel that it sees.
        bias: one number a channel of the output.
        stride: places between two positions of the kernel, 1 or more.
        padding: places added at each end of each axis.
        strategy: what the added places hold, one of `gradatim.ops.padding.STRATEGIES`.
        dilation: places between two elements of the kernel, 1 or more.
        groups: parts of the channels that do not see one another; kernels have
            before / groups channels.
        generator: what the strategy "random" draws with.

    Raises:
        ConfigError: the padding does not fit, or the kernel is larger than the padded map.

    Source: course 000, equation (18), stated there without stride and padding; course 001,
    section 5.2.2.

    Deviations: one bias a filter, and k from 0 to C_in - 1; the course prints a bias a place
    (001) and k up to C_in (000).

    >>> x = torch.tensor([[[1.0, 2.0, 4.0]]])
    >>> cross_correlate(x, torch.tensor([[[1.0, 10.0]]]))
    tensor([[[21., 42.]]])
    """
    axes = x.ndim - 2
    strides, dilations = each_axis(stride, axes), each_axis(dilation, axes)
    padded = pad(x, padding, strategy, generator)
    for axis in range(axes):
        output_size(padded.shape[2 + axis], kernel.shape[2 + axis], dilation=dilations[axis])
    if axes == 1:
        return F.conv1d(padded, kernel, bias, strides, 0, dilations, groups)
    return F.conv2d(padded, kernel, bias, strides, 0, dilations, groups)


def convolve(
    x: Float[Tensor, "rows before *places"],
    kernel: Float[Tensor, "after group *window"],
    bias: Float[Tensor, " after"] | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    strategy: str = "zeros",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "rows after *out"]:
    """Turn the kernel around, then lay it on every place of the maps and sum the products.

    o[c, j, i] = b[c] + sum over k, n, m of f[k, j + n, i + m] u[c, k, h - 1 - n, w - 1 - m]

    Args, Raises: those of `cross_correlate`.

    Source: course 001, equation (5.2.1), at every place.

    >>> x = torch.tensor([[[1.0, 2.0, 4.0]]])
    >>> convolve(x, torch.tensor([[[1.0, 10.0]]]))
    tensor([[[12., 24.]]])
    """
    return cross_correlate(
        x,
        kernel.flip(list(range(2, kernel.ndim))),
        bias,
        stride=stride,
        padding=padding,
        strategy=strategy,
        dilation=dilation,
        groups=groups,
        generator=generator,
    )


def output_size(n: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return how many places a convolution or a pooling has along one axis.

    floor((n + 2 p - d (k - 1) - 1) / s) + 1

    Args:
        n: places of the input, 1 or more.
        kernel: side of the window, 1 or more.
        stride: 1 or more.
        padding: places added at each end, 0 or more.
        dilation: 1 or more.

    Raises:
        ConfigError: the window is larger than the padded input.

    Source: course 000, slide "2D convolution" (H_out, W_out); course 001, equations (5.2.2) and
    (5.2.3), rounded down.

    >>> output_size(32, 5), output_size(224, 11, stride=4, padding=2)
    (28, 55)
    """
    span = dilation * (kernel - 1) + 1
    if span > n + 2 * padding:
        raise ConfigError(
            f"a window of {kernel} with dilation {dilation} spans {span} places; the input has {n} "
            f"and {padding} of padding at each end\nexpected a span of at most {n + 2 * padding}; "
            "take a smaller window, more padding or larger pictures"
        )
    return (n + 2 * padding - span) // stride + 1


def transposed_output_size(
    n: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    output_padding: int = 0,
) -> int:
    """Return how many places a transposed convolution has along one axis.

    (n - 1) s - 2 p + d (k - 1) + output_padding + 1

    Several sizes n shrink to one `output_size`; `output_padding`, from 0 to s - 1, chooses among
    them.

    Source: Dumoulin & Visin 2016, relationship 14; course 000, "Transposed convolution".

    >>> transposed_output_size(2, kernel=2), transposed_output_size(7, 4, stride=2, padding=1)
    (3, 14)
    """
    return (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1
