"""Packed kernels, whatever the inputs that they were packed for."""

import torch
from torch import nn
from torch.nn import functional as F

from gradatim.export.affine import Affine
from gradatim.export.bends import RELU
from gradatim.export.packed import SHAPES, Packed


def test_kernels_are_packed_for_the_shapes_that_were_seen_last():
    torch.manual_seed(0)
    layer = nn.Conv2d(48, 40, 3, 2, 1, groups=2)
    affine = Affine.of(layer)
    affine.bend = RELU
    packed = Packed(affine)
    for rows, side in ((1, 4), (7, 4), (1, 9), (32, 8), (1, 4), (2, 5), (3, 6), (7, 4)):
        x = torch.randn(rows, 48, side, side + 1)
        said = packed.convolve(x)
        torch.testing.assert_close(said, F.relu(layer(x)).detach(), rtol=1e-4, atol=1e-4)
        assert said.is_contiguous(memory_format=torch.channels_last)
        assert len(packed.kernels) <= SHAPES
        assert x.shape in packed.kernels


def test_kernels_that_lie_alike_are_kept_once():
    layer = Affine.of(nn.Conv2d(16, 16, 3, padding=1))
    packed = Packed(layer)
    for rows in (64, 65):
        packed.convolve(torch.randn(rows, 16, 12, 12))
    first, second = packed.kernels.values()
    assert first is second
