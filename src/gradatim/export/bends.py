"""Activations as oneDNN calls them, so that they are part of the call before them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

__all__ = ["Bend", "bend_of"]


@dataclass(frozen=True)
class Bend:
    """An activation.

    Args:
        name: oneDNN's, as torch passes it on.
        call: torch's function, which may write over its input.
        numbers: its parameters.
        variant: how it is computed, where there are several ways.
    """

    name: str
    call: Callable[[Tensor], Tensor]
    numbers: tuple[float, ...] = ()
    variant: str = ""


RELU = Bend("relu", torch.relu_)
RELU6 = Bend("hardtanh", lambda y: F.hardtanh_(y, 0.0, 6.0), (0.0, 6.0))
TANH, SIGMOID = Bend("tanh", torch.tanh_), Bend("sigmoid", torch.sigmoid_)
LAYERS: dict[type[nn.Module], Bend] = {
    nn.ReLU: RELU,
    nn.ReLU6: RELU6,
    nn.Tanh: TANH,
    nn.Sigmoid: SIGMOID,
    nn.SiLU: Bend("swish", lambda y: F.silu(y, inplace=True)),
}
FUNCTIONS: dict[Any, Bend] = {
    F.relu: RELU,
    torch.relu: RELU,
    F.relu6: RELU6,
    torch.tanh: TANH,
    torch.sigmoid: SIGMOID,
    "relu": RELU,
    "tanh": TANH,
    "sigmoid": SIGMOID,
}


def bend_of(call: fx.Node, layer: nn.Module | None) -> Bend | None:
    """Return the activation that a call is, or None.

    Args:
        call: of a graph.
        layer: that is called, where it is one.
    """
    if layer is None:
        alone = len(call.all_input_nodes) == 1 and set(call.kwargs) <= {"inplace"}
        return FUNCTIONS.get(call.target) if alone and len(call.args) == 1 else None
    if isinstance(layer, nn.GELU):
        way = layer.approximate
        return Bend("gelu", lambda y: F.gelu(y, approximate=way), (), way)
    return LAYERS.get(type(layer))
