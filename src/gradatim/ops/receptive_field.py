"""How many places of the input one place of the output depends on."""

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Window", "receptive_field"]


class Window(NamedTuple):
    """A layer that looks through a window: a convolution or a pooling."""

    kernel: int
    stride: int = 1
    dilation: int = 1


def receptive_field(layers: Iterable[Window]) -> int:
    """Return the side of the receptive field of layers, the first one nearest to the input.

    1 + sum over layers l of (K_l - 1) d_l prod over i < l of S_i

    With strides and dilations of 1 and one K for all L layers this is 1 + L (K - 1).

    Args:
        layers: each with its kernel, stride and dilation, all 1 or more.

    Returns:
        Places along one axis, without what padding cuts away at a border.

    Source: Araujo, Norris & Sim 2019, equation (2), with dilation; course 001, section 5.2.6,
    prints the case of stride 1.

    >>> receptive_field([Window(3)] * 4)
    9
    >>> receptive_field([Window(5), Window(2, 2), Window(5), Window(2, 2)])  # LeNet-5
    16
    """
    field, jump = 1, 1
    for layer in layers:
        field += (layer.kernel - 1) * layer.dilation * jump
        jump *= layer.stride
    return field
