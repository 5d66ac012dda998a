"""`FusedSequential`: layers in turn, some of them in one pass."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from gradatim.layers.hooks import heard
from gradatim.layers.linear import Linear
from gradatim.layers.normalisation import normalised
from gradatim.ops.dense import dense
from gradatim.ops.fused_convolution import convolve_relu_pool

__all__ = ["FusedSequential", "halves", "slides"]


class FusedSequential(nn.Sequential):
    """`nn.Sequential` that takes some layers in one pass.

    They are a convolution, ReLU and 2x2 max-pooling; a linear layer and ReLU; and batch
    normalisation and ReLU in training.

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
            elif isinstance(layer, nn.Linear) and _is_dense(layer):
                bent = _is_bent(chain)
                input = dense(input, layer.weight, layer.bias, relu=bent)  # noqa: A001
                place += 1 + bent
            elif isinstance(layer, nn.BatchNorm2d):
                bent = _is_bent(chain)
                input = normalised(layer, input, relu=bent)  # noqa: A001
                place += 1 + bent
            else:
                input = layer(input)  # noqa: A001
                place += 1
        return input


def _is_one_pass(chain: Sequence[nn.Module]) -> bool:
    """Tell whether these layers are one pass, and nobody listens to one of them."""
    if [type(layer) for layer in chain] != [nn.Conv2d, nn.ReLU, nn.MaxPool2d]:
        return False
    return slides(chain[0]) and halves(chain[2]) and not any(map(heard, chain))


def _is_dense(layer: nn.Linear) -> bool:
    """Tell whether a linear layer is one of torch's kind, and nobody listens to it."""
    return type(layer) in (nn.Linear, Linear) and layer.bias is not None and not heard(layer)


def _is_bent(chain: Sequence[nn.Module]) -> bool:
    """Tell whether ReLU follows, and nobody listens to it."""
    return len(chain) > 1 and type(chain[1]) is nn.ReLU and not heard(chain[1])


def slides(layer: nn.Module) -> bool:
    """Tell whether a convolution visits every place, with zeros around."""
    return (
        isinstance(layer, nn.Conv2d)
        and isinstance(layer.padding, tuple)
        and len({*layer.padding}) == len({*layer.kernel_size}) == 1
        and (layer.stride, layer.dilation, layer.groups) == ((1, 1), (1, 1), 1)
        and layer.padding_mode == "zeros"
    )


def halves(layer: nn.Module) -> bool:
    """Tell whether a pooling takes the largest of windows of 2x2 that do not overlap."""
    return (
        isinstance(layer, nn.MaxPool2d)
        and layer.kernel_size in (2, (2, 2))
        and layer.stride in (2, (2, 2))
        and (layer.padding, layer.dilation) in ((0, 1), ((0, 0), (1, 1)))
        and not layer.ceil_mode
        and not layer.return_indices
    )
