"""Residual blocks: shapes, names, shortcuts, parameter counts of the published networks."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.layers.residual import BasicBlock, Bottleneck


def maps(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def counted(*names: str) -> list[str]:
    """The entries of convolution and batch norm of a published state dict."""
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    entries = {True: norm, False: ("weight",)}
    return [f"{n}.{e}" for n in names for e in entries["bn" in n or n.endswith(".1")]]


def test_names_are_those_of_torchvision():
    two = ["conv1", "bn1", "conv2", "bn2"]
    assert list(BasicBlock(4, 4).state_dict()) == counted(*two)
    changed = ["downsample.0", "downsample.1"]
    assert list(BasicBlock(4, 8, 2).state_dict()) == counted(*two, *changed)
    three = [*two, "conv3", "bn3"]
    assert list(Bottleneck(16, 4).state_dict()) == counted(*three)
    assert list(Bottleneck(4, 4).state_dict()) == counted(*three, *changed)


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("norm", ["batch", "instance", "layer", "none"])
def test_shapes(block, stride, norm):
    y = block(6, 4, stride, norm)(maps(2, 6, 8, 8))
    assert y.shape == (2, 4 * block.expansion, 8 // stride, 8 // stride)


@pytest.mark.parametrize(
    ("block", "parameters"),
    [
        # layer1.0 of ResNet-18: 2 x 9 x 64 x 64 + 4 x 64.
        (BasicBlock(64, 64), 73_984),
        # layer2.0 of ResNet-18: 9 x 64 x 128 + 9 x 128 x 128 + 64 x 128 + 6 x 128.
        (BasicBlock(64, 128, 2), 230_144),
        # layer1.0 of ResNet-50: 64 x 64 + 9 x 64 x 64 + 2 x 64 x 256 + 2 x (64 + 64 + 256 + 256).
        (Bottleneck(64, 64), 75_008),
    ],
)
def test_parameter_counts(block, parameters):
    assert sum(p.numel() for p in block.parameters()) == parameters


@pytest.mark.parametrize("depths", [("18", BasicBlock, (2, 2, 2, 2), 11_689_512),
                                    ("50", Bottleneck, (3, 4, 6, 3), 25_557_032)])  # fmt: skip
def test_blocks_add_up_to_the_published_parameters(depths):
    _, block, stages, published = depths
    with torch.device("meta"):
        layers: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)]
        before = 64
        for stage, count in enumerate(stages):
            for k in range(count):
                width = 64 << stage
                layers.append(block(before, width, 2 if stage and not k else 1))
                before = width * block.expansion
        layers.append(nn.Linear(before, 1000))
    assert sum(p.numel() for p in nn.Sequential(*layers).parameters()) == published


def test_basic_block_by_its_formula():
    block, x = BasicBlock(3, 5, 2), maps(2, 3, 7, 7)
    y = F.conv2d(x, block.conv1.weight, None, 2, 1)
    y = F.conv2d(F.relu(block.bn1(y)), block.conv2.weight, None, 1, 1)
    short = block.downsample[1](F.conv2d(x, block.downsample[0].weight, None, 2))
    torch.testing.assert_close(block(x), F.relu(short + block.bn2(y)))


def test_bottleneck_by_its_formula():
    block, x = Bottleneck(3, 2, 2), maps(2, 3, 7, 7)
    y = F.relu(block.bn1(F.conv2d(x, block.conv1.weight)))
    y = F.relu(block.bn2(F.conv2d(y, block.conv2.weight, None, 2, 1)))
    short = block.downsample[1](F.conv2d(x, block.downsample[0].weight, None, 2))
    expected = F.relu(short + block.bn3(F.conv2d(y, block.conv3.weight)))
    torch.testing.assert_close(block(x), expected)


def test_stride_of_the_bottleneck_is_in_the_3x3():
    block = Bottleneck(8, 4, 2)
    strides = [c.stride for c in (block.conv1, block.conv2, block.conv3)]
    assert strides == [(1, 1), (2, 2), (1, 1)]


@pytest.mark.parametrize("block", [BasicBlock(8, 8), Bottleneck(8, 2)])
def test_a_block_that_adds_nothing_is_the_identity(block):
    """Its last norm with gamma = 0: what is positive goes through."""
    last = block.bn3 if isinstance(block, Bottleneck) else block.bn2
    nn.init.zeros_(last.weight)
    x = maps(2, 8, 4, 4).abs()
    assert torch.equal(block(x), x)


def test_convolutions_have_a_bias_only_without_a_norm():
    assert BasicBlock(4, 8, norm="layer").conv1.bias is None
    assert BasicBlock(4, 8, norm="none").conv1.bias is not None


def test_unknown_norm_is_refused():
    with pytest.raises(ConfigError, match='no normalisation is called "bath"'):
        BasicBlock(4, 4, norm="bath")


@pytest.mark.parametrize("norm", ["batch", "instance", "layer", "none"])
def test_slopes_and_their_slopes(norm, smooth):
    smooth(BasicBlock(2, 2, norm=norm), maps(2, 2, 3, 3).double())
    smooth(Bottleneck(2, 1, 2, norm), maps(2, 2, 3, 3).double())


@pytest.mark.parametrize(("before", "width", "stride"), [(32, 32, 1), (32, 64, 2)])
def test_training_is_that_of_torchs_operations(before, width, stride, monkeypatch):
    """By machine code and without it, with channels last as a fit lays them out."""
    results = []
    for switch in ("1", "0"):
        monkeypatch.setenv("GRADATIM_FUSED", switch)
        torch.manual_seed(0)
        block = BasicBlock(before, width, stride).to(memory_format=torch.channels_last)
        x = maps(8, before, 16, 16).contiguous(memory_format=torch.channels_last).requires_grad_()
        out = block(x)
        slopes = torch.autograd.grad(out.sin().sum(), [x, *block.parameters()])
        results.append([out, *slopes, *block.buffers()])
    for ours, theirs in zip(*results, strict=True):
        # Where rounding decides whether ReLU is open, single numbers differ.
        apart = (ours - theirs).double().norm()
        assert apart <= 1e-3 * theirs.double().norm() + 1e-6
