"""Pictures in tiles: torch's own rearrangement, and a convolution that reads them."""

import pytest
import torch
from torch.nn import functional as F

from gradatim.ops.play.tiles import SIDE, tiled, woven


@pytest.mark.parametrize("shape", [(5, 4, 84, 84), (2, 1, 8, 4), (3, 3, 12, 20), (1, 4, 210, 163)])
def test_woven_tiles_are_pixels_unshuffled(shape):
    """Every byte, also those that would be no number if they were one; borders that are left go."""
    pictures = torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0))
    pictures = torch.where(torch.rand(shape) < 0.3, 255, pictures).to(torch.uint8)
    down, across = (side // SIDE * SIDE for side in shape[2:])
    expected = F.pixel_unshuffle(pictures[..., :down, :across], SIDE)
    said = woven(tiled(pictures))
    assert torch.equal(said, expected)
    assert said.is_contiguous(memory_format=torch.channels_last)


def test_tiles_of_a_part_of_a_larger_tensor():
    """The newest picture is a view into four, and the memory hands out rows of bytes."""
    pictures = torch.randint(0, 256, (6, 4, 84, 84)).to(torch.uint8)
    newest = tiled(pictures[:, -1:])
    assert torch.equal(newest, tiled(pictures)[:, -1:])
    whole = torch.randint(0, 256, (9, 4, 441 * 16)).to(torch.uint8).view(9, 4, 21, 21, 16)
    assert torch.equal(woven(whole[1:]), woven(whole)[1:])


@pytest.mark.parametrize("sides", [(84, 84), (96, 90), (210, 163)])
def test_a_convolution_of_2_x_2_tiles_is_one_of_8_x_8_pixels(sides):
    """That of Mnih et al. 2015; also where the picture is no whole number of tiles."""
    chance = torch.Generator().manual_seed(1)
    pictures = torch.randint(0, 256, (3, 4, *sides), generator=chance).to(torch.uint8)
    weight = torch.randn(5, 4, 8, 8, generator=chance, dtype=torch.float64)
    expected = F.conv2d(pictures.double(), weight, stride=4)
    said = F.conv2d(woven(tiled(pictures)).double(), F.pixel_unshuffle(weight, SIDE))
    torch.testing.assert_close(said, expected)
