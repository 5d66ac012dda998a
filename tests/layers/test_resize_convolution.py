"""Resize, then convolve: no checkerboard, where a transposed convolution has one."""

import torch
from torch import nn
from torch.nn import functional as F

from gradatim.layers.resize_convolution import ResizeConvolution


def inner_variance(y: torch.Tensor) -> float:
    return float(y[..., 3:-3, 3:-3].var())


def test_even_maps_stay_even_where_kernel_3_stride_2_makes_a_checkerboard():
    """Any weights: on an even map, resize-convolution returns one number a channel."""
    torch.manual_seed(0)
    even = torch.ones(1, 2, 8, 8)
    resize = ResizeConvolution(2, 3)
    uneven = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1)
    assert resize(even).shape == uneven(even).shape == (1, 3, 16, 16)
    flat = resize(even)
    torch.testing.assert_close(flat, flat[..., :1, :1].expand_as(flat))
    assert (uneven(even)[0, :, 3:-3, 3:-3].var((1, 2)) > 1e-4).all()


def test_transposed_kernel_4_stride_2_covers_evenly_but_may_still_learn_a_checkerboard():
    """Ones give an even map, random weights do not: only the resize rules it out."""
    even = torch.ones(1, 1, 8, 8)
    y = F.conv_transpose2d(even, torch.ones(1, 1, 4, 4), stride=2)
    assert inner_variance(y) == 0
    chance = torch.Generator().manual_seed(0)
    y = F.conv_transpose2d(even, torch.randn(1, 1, 4, 4, generator=chance), stride=2)
    assert inner_variance(y) > 0.01


def test_is_a_convolution_of_repeated_places():
    torch.manual_seed(0)
    layer, x = ResizeConvolution(2, 3, kernel=5, scale=3), torch.randn(1, 2, 4, 5)
    larger = x.repeat_interleave(3, 2).repeat_interleave(3, 3)
    padded = F.pad(larger, (2, 2, 2, 2), mode="replicate")
    torch.testing.assert_close(layer(x), F.conv2d(padded, layer.conv.weight, layer.conv.bias))


def test_slopes_and_their_slopes(smooth):
    smooth(ResizeConvolution(1, 2), torch.randn(2, 1, 2, 2, dtype=torch.float64))
