"""`dense`: linear layers with a nonlinearity between them."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

__all__ = ["dense"]


def dense(sizes: Sequence[int], between: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Return linear layers from size to size; the last one ends bare.

    Args:
        sizes: numbers before the first layer, between any two and after the last, two or more.
        between: makes the nonlinearity.

    >>> [type(layer).__name__ for layer in dense([4, 3, 2])]
    ['Linear', 'ReLU', 'Linear']
    """
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), between()]
    return nn.Sequential(*layers[:-1])
