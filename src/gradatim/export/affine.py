"""`Affine`: a linear layer or a convolution with what is folded into it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gradatim.export.bends import Bend
from gradatim.layers.convolution import Conv2d
from gradatim.layers.linear import Linear

__all__ = ["KNOWN", "Affine", "Norm", "Places"]

KNOWN = (nn.Linear, Linear, nn.Conv2d, Conv2d)
"""Layers that compute what their parameters say; other subclasses, such as masked ones, do not."""
Norm = nn.BatchNorm1d | nn.BatchNorm2d


@dataclass(frozen=True)
class Places:
    """Where a convolution looks."""

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int


@dataclass
class Affine:
    """y = bend(w * x + b + other), where w * x is a product or a convolution.

    Args:
        weight: as in torch's layer.
        bias: one an output.
        places: of a convolution; None for a linear layer.
        bend: what is done to every number at the end.
        adds: whether another tensor is added before the bend.
        pools: whether the largest of every window of 2 x 2 is taken after it.
    """

    weight: Tensor
    bias: Tensor
    places: Places | None = None
    bend: Bend | None = None
    adds: bool = False
    pools: bool = False

    @classmethod
    def of(cls, layer: Any) -> "Affine | None":
        """Return what a layer computes, its numbers copied; None for one of another kind."""
        if type(layer) not in KNOWN or layer.weight.dtype != torch.float32:
            return None
        places = None
        if isinstance(layer, nn.Conv2d):
            if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
                return None
            stride, padding = _pair(layer.stride), _pair(layer.padding)
            places = Places(stride, padding, _pair(layer.dilation), layer.groups)
        weight = layer.weight.detach().clone().contiguous()
        bias = weight.new_zeros(len(weight)) if layer.bias is None else layer.bias.detach().clone()
        return cls(weight, bias, places)

    @property
    def open(self) -> bool:
        """Whether nothing is done yet to what it computes."""
        return self.bend is None and not self.adds and not self.pools

    def scaled(self, factor: Tensor) -> None:
        """Multiply the outputs by a number, or by one for each."""
        factor = factor.double().expand(len(self.bias))
        column = factor.reshape(-1, *[1] * (self.weight.dim() - 1))
        self.weight = (self.weight.double() * column).float()
        self.bias = (self.bias.double() * factor).float()

    def normalised(self, norm: Norm) -> None:
        """Take over the batch normalisation that follows: gamma (y - mean) / sqrt(v + eps) + beta.

        Source: Ioffe & Szegedy 2015, algorithm 2, step 11.
        """
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None, "a normalisation by the batch at hand is not folded"
        assert variance is not None, "mean and variance run together"
        factor = (variance.double() + norm.eps).rsqrt()
        shift = -mean.double() * factor
        if norm.affine:
            gamma, beta = norm.weight.detach().double(), norm.bias.detach().double()
            factor, shift = factor * gamma, shift * gamma + beta
        self.scaled(factor)
        self.bias = (self.bias.double() + shift).float()

    def fed(self, factor: Tensor, shift: Tensor) -> None:
        """Take over what is done to each channel of its input: x = factor * raw + shift.

        A linear layer reads the planes of a picture one after the other. The zeros around a picture
        are not raw, so a convolution must not pad; nor may it look at some channels only.
        """
        after, weight = len(self.weight), self.weight.double()
        each = weight.reshape(after, len(factor), -1)
        self.bias = (self.bias.double() + (each * shift[:, None]).sum((1, 2))).float()
        self.weight = (each * factor[:, None]).reshape(weight.shape).float()


def _pair(number: int | tuple[int, ...]) -> tuple[int, int]:
    first, second = (number, number) if isinstance(number, int) else number
    return first, second
