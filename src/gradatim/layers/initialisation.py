"""How weights begin: one rule for every weight matrix and kernel of a network."""

import torch
from torch import nn

from gradatim.core.recipe import Initialisation

__all__ = ["initialise"]

CONSTANT, SMALL, LARGE = 0.1, 0.01, 1.0


@torch.no_grad()
def initialise(network: nn.Module, rule: Initialisation) -> None:
    """Fill the weights of linear and convolution layers anew; their biases become 0.

    - constant: every weight 0.1. Units of a layer stay equal for ever: the symmetry failure.
    - small, large: N(0, 0.01^2) and N(0, 1).
    - xavier: N(0, 2 / (fan_in + fan_out)).
    - he: N(0, 2 / fan_in); for ReLU.
    - orthogonal: rows or columns orthonormal, times sqrt(2).
    - own: nothing is touched.

    Normalisation, embeddings and recurrent cells keep what their own layer chose.

    Args:
        network: changed in place; chance is torch's global generator.
        rule: its name.

    Source: course 000, equations (48)-(54) (He); Glorot & Bengio 2010, equation (12) (Xavier);
        Saxe, McClelland & Ganguli 2014 (orthogonal).
    """
    if rule == "own":
        return
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
            _fill(layer.weight, rule)
            if layer.bias is not None:
                layer.bias.zero_()


def _fill(weight: torch.Tensor, rule: Initialisation) -> None:
    if rule == "constant":
        weight.fill_(CONSTANT)
    elif rule == "xavier":
        nn.init.xavier_normal_(weight)
    elif rule == "he":
        nn.init.kaiming_normal_(weight, nonlinearity="relu")
    elif rule == "orthogonal":
        nn.init.orthogonal_(weight, gain=2**0.5)
    else:
        weight.normal_(std=SMALL if rule == "small" else LARGE)
