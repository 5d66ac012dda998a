"""oneDNN's convolution with kernels in the order that it wants, and channels last.

Otherwise it puts all kernels in order at every call, which takes half of the time where pictures
are few and kernels are many. Which order it wants depends on the size of the pictures and on how
many there are; given another one, it puts them in order after all, and slowly.
"""

import torch
from torch import Tensor

from gradatim.export.affine import Affine

__all__ = ["Packed"]

SHAPES = 4
"""Of inputs that kernels are kept for: a row, a batch, and the last ones of each."""


class Packed:
    """A convolution with its activation, packed for the inputs that it has seen last.

    Args:
        layer: a convolution; where it adds, its bend comes later.
    """

    def __init__(self, layer: Affine) -> None:
        places, bend = layer.places, None if layer.adds else layer.bend
        assert places is not None, "a convolution looks somewhere"
        self.weight, self.bias = layer.weight, layer.bias
        self.where = ([*places.padding], [*places.stride], [*places.dilation], places.groups)
        self.end = ("none", [], "") if bend is None else (bend.name, [*bend.numbers], bend.variant)
        self.kernels: dict[torch.Size, Tensor] = {}

    def convolve(self, x: Tensor) -> Tensor:
        """Return the maps, channels last."""
        kernels = self.kernels.get(x.shape)
        if kernels is None:
            kernels = self._pack(x.shape)
        x = x.contiguous(memory_format=torch.channels_last)
        call = torch.ops.mkldnn._convolution_pointwise.default
        out: Tensor = call(x, kernels, self.bias, *self.where, *self.end)
        return out

    def _pack(self, shape: torch.Size) -> Tensor:
        """Return the kernels for inputs of a shape; those for the oldest shape are forgotten."""
        order = torch.ops.mkldnn._reorder_convolution_weight.default
        kernels: Tensor = order(self.weight, *self.where, [*shape])
        told = _order(kernels)
        kept = list(self.kernels.items())[1 - SHAPES :]
        kernels = next((other for _, other in kept if _order(other) == told), kernels)
        self.kernels = dict([*kept, (shape, kernels)])  # others may be looking into the old one
        return kernels


def _order(kernels: Tensor) -> bytes:
    """Return how kernels lie in memory."""
    told: Tensor = torch.ops.mkldnn._get_mkldnn_serialized_md(kernels)
    return told.numpy().tobytes()
