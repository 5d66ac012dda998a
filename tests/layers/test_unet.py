"""The U-Net's shapes, its padding, its count of parameters and its slopes."""

import numpy as np
import pytest
import torch

from gradatim.layers.segmentation.unet import DoubleConvolution, UNet, mirrored_places


@pytest.mark.parametrize("size", [(1, 1), (3, 17), (16, 16), (21, 8)])
def test_answers_have_the_size_of_the_picture(size):
    network = UNet(3, 5, width=2, depth=3).eval()
    assert network(torch.randn(2, 3, *size)).shape == (2, 5, *size)


@pytest.mark.parametrize(("length", "longer"), [(1, 4), (2, 8), (5, 8), (9, 16)])
def test_padding_is_numpys_reflection(length, longer):
    line = np.arange(length)
    np.testing.assert_array_equal(
        mirrored_places(length, longer), np.pad(line, (0, longer - length), mode="reflect")
    )


def test_a_padded_picture_is_answered_like_the_continued_one():
    torch.manual_seed(0)
    network = UNet(1, 2, width=3, depth=2).eval()
    picture = torch.randn(1, 1, 10, 7)
    larger = picture[:, :, mirrored_places(10, 12)][..., mirrored_places(7, 8)]
    torch.testing.assert_close(network(picture), network(larger)[:, :, :10, :7])


def test_the_paper_has_31_million_parameters():
    """Figure 1 with 64 to 1024 channels: 31,030,658 without normalisation, as others count too."""
    with torch.device("meta"):
        network = UNet(1, 2, width=64, depth=4, norm="none")
    assert sum(p.numel() for p in network.parameters()) == 31_030_658


def test_it_sees_far_and_keeps_details():
    """Of depth 3 the answer at a pixel depends on pixels beyond what its convolutions would see."""
    torch.manual_seed(0)
    network = UNet(1, 1, width=4, depth=3).eval()
    picture = torch.randn(1, 1, 64, 64, requires_grad=True)
    network(picture)[0, 0, 32, 32].backward()
    assert picture.grad is not None
    reach = (picture.grad[0, 0] != 0).nonzero()
    assert (reach.amax(0) - reach.amin(0)).min() > 40
    assert picture.grad[0, 0, 32, 32] != 0


def test_slopes(smooth):
    torch.manual_seed(0)
    smooth(DoubleConvolution(1, 2), torch.randn(2, 1, 4, 4, dtype=torch.float64))
