"""Inception blocks: names, channels and parameters of the published network."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradatim.layers.inception import BasicConv2d, Inception, InceptionAux

# Table 1 of Szegedy et al. 2015: channels in, #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool.
TABLE = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


def maps(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_names_are_those_of_torchvision():
    entries = ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var",
               "bn.num_batches_tracked")  # fmt: skip
    convolutions = ("branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1")
    names = [f"{c}.{e}" for c in convolutions for e in entries]
    assert list(Inception(4, 1, 1, 1, 1, 1, 1).state_dict()) == names
    head = [f"conv.{e}" for e in entries]
    ends = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    assert list(InceptionAux(4, 3).state_dict()) == head + ends


@pytest.mark.parametrize(("true5", "published"), [(False, 6_624_904), (True, 7_005_832)])
def test_blocks_add_up_to_the_published_parameters(true5, published):
    with torch.device("meta"):
        stem = [BasicConv2d(3, 64, 7, 2), BasicConv2d(64, 64, 1), BasicConv2d(64, 192, 3)]
        blocks = [Inception(*row, true5=true5) for row in TABLE.values()]
        network = nn.Sequential(*stem, *blocks, nn.Linear(1024, 1000))
    assert sum(p.numel() for p in network.parameters()) == published


def test_channels_of_a_block_are_those_of_the_next():
    follows = {"3a": "3b", "3b": "4a", "4a": "4b", "4b": "4c", "4c": "4d", "4d": "4e", "5a": "5b"}
    with torch.device("meta"):
        for one, two in follows.items():
            assert Inception(*TABLE[one]).channels == TABLE[two][0]


@pytest.mark.parametrize("true5", [False, True])
def test_output_is_the_four_branches_in_order(true5):
    block, x = Inception(3, 2, 2, 4, 1, 3, 5, true5).eval(), maps(2, 3, 7, 6)
    y = block(x)
    assert y.shape == (2, block.channels, 7, 6)
    parts = y.split([2, 4, 3, 5], dim=1)
    branches = (block.branch1, block.branch2, block.branch3, block.branch4)
    assert all(torch.equal(p, b(x)) for p, b in zip(parts, branches, strict=True))


def test_true5_sees_two_pixels_away_and_3x3_one():
    def reach(true5: bool) -> int:
        block = Inception(1, 1, 1, 1, 1, 1, 1, true5).double()
        x = maps(1, 1, 9, 9).double().requires_grad_()
        block.branch3[1].conv(block.branch3[0].conv(x))[0, 0, 4, 4].backward()
        return int(x.grad.nonzero()[:, 2].max()) - 4

    assert (reach(True), reach(False)) == (2, 1)


def test_convolution_by_its_formula_with_epsilon_of_torchvision():
    layer, x = BasicConv2d(2, 3, 3, 2), 0.01 * maps(2, 2, 7, 7)  # small, so that epsilon shows
    y = F.conv2d(x, layer.conv.weight, None, 2, 1)
    expected = F.relu(F.batch_norm(y, None, None, training=True, eps=0.001))
    torch.testing.assert_close(layer(x), expected)


def test_auxiliary_head_takes_maps_of_any_size():
    head = InceptionAux(6, 5)
    assert head(maps(2, 6, 14, 14)).shape == (2, 5)
    assert head(maps(2, 6, 3, 3)).shape == (2, 5)


def test_auxiliary_head_drops_only_in_training():
    head, x = InceptionAux(6, 5), maps(2, 6, 14, 14)
    head.conv.eval()
    assert not torch.equal(head(x), head(x))
    head.eval()
    assert torch.equal(head(x), head(x))


def test_auxiliary_heads_have_the_published_parameters():
    """512 and 528 channels, 1000 classes: with them torchvision's GoogLeNet has 13,004,888."""
    with torch.device("meta"):
        heads = nn.ModuleList([InceptionAux(512, 1000), InceptionAux(528, 1000)])
    assert sum(p.numel() for p in heads.parameters()) == 13_004_888 - 6_624_904


def test_slopes_and_their_slopes(smooth):
    smooth(BasicConv2d(2, 2, 3), maps(2, 2, 3, 3).double())
    smooth(Inception(2, 1, 1, 1, 1, 1, 1, true5=True), maps(2, 2, 3, 3).double())
    head = InceptionAux(1, 2, dropout=0.0)
    smooth(head, maps(2, 1, 4, 4).double(), parameters=False)
