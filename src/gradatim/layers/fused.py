"""`FusedSequential`: layers in turn, some of them in one pass."""

from collections.abc import Sequence
from typing import Any

from torch import nn
from torch.nn.modules import module as modules

from gradatim.ops.fused_convolution import convolve_relu_pool

__all__ = ["FusedSequential"]


class FusedSequential(nn.Sequential):
    """`nn.Sequential` that takes a convolution, ReLU and 2x2 max-pooling in one pass.

    Names of parameters are those of `nn.Sequential`; answers and gradients are too, up to rounding.
    Layers that somebody listens to by hooks are called one by one.

    Source: docs/decisions/0006-fused-convolution.md.
    """

    def forward(self, input: Any) -> Any:  # noqa: A002  it is called so in nn.Sequential
        """Return what the last layer answers."""
        layers, place = list(self), 0
        while place < len(layers):
            layer, chain = layers[place], layers[place : place + 3]
            if isinstance(layer, nn.Conv2d) and layer.bias is not None and _is_one_pass(chain):
                padding = int(layer.padding[0])
                input = convolve_relu_pool(input, layer.weight, layer.bias, padding)  # noqa: A001
                place += len(chain)
            else:
                input = layer(input)  # noqa: A001
                place += 1
        return input


def _is_one_pass(chain: Sequence[nn.Module]) -> bool:
    """Tell whether these layers are one pass, and nobody listens to one of them."""
    if [type(layer) for layer in chain] != [nn.Conv2d, nn.ReLU, nn.MaxPool2d]:
        return False
    return _slides(chain[0]) and _halves(chain[2]) and not any(map(_is_heard, chain))


def _slides(layer: nn.Module) -> bool:
    """Tell whether a convolution visits every place, with zeros around."""
    return (
        isinstance(layer, nn.Conv2d)
        and isinstance(layer.padding, tuple)
        and len({*layer.padding}) == len({*layer.kernel_size}) == 1
        and (layer.stride, layer.dilation, layer.groups) == ((1, 1), (1, 1), 1)
        and layer.padding_mode == "zeros"
    )


def _halves(layer: nn.Module) -> bool:
    """Tell whether a pooling takes the largest of windows of 2x2 that do not overlap."""
    return (
        isinstance(layer, nn.MaxPool2d)
        and layer.kernel_size in (2, (2, 2))
        and layer.stride in (2, (2, 2))
        and (layer.padding, layer.dilation) in ((0, 1), ((0, 0), (1, 1)))
        and not layer.ceil_mode
        and not layer.return_indices
    )


def _is_heard(layer: nn.Module) -> bool:
    return bool(
        layer._forward_hooks
        or layer._forward_pre_hooks
        or layer._backward_hooks
        or layer._backward_pre_hooks
        or modules._has_any_global_hook()
    )
