"""How what is left is called on this machine: the one place where that is chosen."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.export.affine import Affine
from gradatim.export.packed import Packed
from gradatim.layers.pixels import Pixels
from gradatim.ops.compiled import dense as compiled_dense
from gradatim.ops.compiled.dense_chain import Chain
from gradatim.ops.compiled.fused_convolution import Prepared
from gradatim.ops.fused_convolution import applies
from gradatim.ops.products import linear
from gradatim.ops.shortcuts import closed

__all__ = ["Call", "chained", "chains", "convolved", "levels", "planes", "pools", "unheard"]

Call = Callable[..., Any]

MOST_POOLED = 24
"""Channels up to which machine code for convolution, ReLU and pooling is faster than oneDNN."""
MOST_CHAINED = 2**20
"""Numbers of a linear layer up to which machine code is as fast as oneDNN."""


def pools(layer: Affine, x: Tensor) -> bool:
    """Tell whether a convolution with ReLU and 2x2 max-pooling of x is one call."""
    assert layer.places is not None, "a convolution looks somewhere"
    few = x.shape[1] <= MOST_POOLED
    return few and applies(x, layer.weight, layer.bias, layer.places.padding[0])


def chains(layer: Affine) -> bool:
    """Tell whether a linear layer may be part of a chain in machine code."""
    bends = layer.bend is None or layer.bend.name == "relu"
    small = layer.weight.numel() <= MOST_CHAINED
    return bends and small and compiled_dense.obstacle() is None


def convolved(layer: Affine) -> Call:
    """Return a convolution with all that follows it."""
    if layer.pools:
        assert layer.places is not None, "a convolution looks somewhere"
        return Prepared(layer.weight, layer.bias, layer.places.padding[0]).convolve_relu_pool
    packs = torch.backends.mkldnn.is_available() and not closed()
    call = Packed(layer).convolve if packs else _plain(layer)
    if not layer.adds:
        return call
    bend = layer.bend

    # oneDNN can add within its call too: it was measured, and is not faster.
    def convolve_and_add(x: Tensor, other: Tensor) -> Tensor:
        y = call(x).add_(other)
        return y if bend is None else bend.call(y)

    return convolve_and_add


def _plain(layer: Affine) -> Call:
    """Return torch's convolution."""
    places, weight, bias = layer.places, layer.weight, layer.bias
    assert places is not None, "a convolution looks somewhere"
    where = (places.stride, places.padding, places.dilation, places.groups)
    bend = None if layer.adds else layer.bend

    def convolve(x: Tensor) -> Tensor:
        y = F.conv2d(x, weight, bias, *where)
        return y if bend is None else bend.call(y)

    return convolve


def chained(layers: Sequence[Affine]) -> Call:
    """Return linear layers in turn: several only where each of them `chains`."""
    if all(map(chains, layers)):
        told = [(layer.weight, layer.bias, layer.bend is not None) for layer in layers]
        return Chain(told).multiply
    (layer,) = layers
    weight, bias, bend = layer.weight, layer.bias, layer.bend

    def multiply(x: Tensor) -> Tensor:
        y = linear(x, weight, bias)
        return y if bend is None else bend.call(y)

    return multiply


def levels(pixels: Pixels) -> Call:
    """Return the preprocessing of pictures but for factor and shift.

    Numbers are converted by NumPy: torch would share out even this among its threads, which then
    spin for a while and keep those of the machine code from their core.
    """
    arrange = pixels.levels

    def convert(pictures: Tensor) -> Tensor:
        return arrange(torch.from_numpy(pictures.numpy().astype(np.float32)))

    return convert


def planes(pixels: Pixels) -> Call:
    """Return the preprocessing of pictures, with factor and shift in one pass."""
    factor, shift = (number.float()[:, None, None] for number in pixels.line())
    if pixels.flat:
        each = pixels.features // len(factor)
        factor, shift = (n.flatten().repeat_interleave(each) for n in (factor, shift))
    convert = levels(pixels)

    def standardise(pictures: Tensor) -> Tensor:
        return torch.addcmul(shift, convert(pictures), factor)

    return standardise


def unheard(layer: nn.Module) -> Call:
    """Return what a layer does, without looking for hooks: a copy that was just made has none."""
    forward = layer.forward

    def call(*args: Any, **options: Any) -> Any:
        return forward(*args, **options)

    return call
