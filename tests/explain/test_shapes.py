"""Shapes, counts and windows of every network: against published tables and against gradients."""

import pytest
import torch
from torch import nn

from gradatim.core.errors import ConfigError
from gradatim.core.rung import Trained
from gradatim.core.signature import Category, Column, Image, Series, Signature, Table
from gradatim.explain.shapes import shapes
from gradatim.layers.attention import MultiHeadAttention
from gradatim.layers.inception import Inception
from gradatim.layers.residual import BasicBlock, Bottleneck
from gradatim.models import RUNGS, rung_named
from gradatim.ops.multiply_adds import multiply_adds
from gradatim.ops.receptive_field import Window, receptive_field

PUBLISHED = {  # millions of parameters, G multiply-adds: torchvision's table of weights
    "alexnet": (61_100_840, 0.714),
    "vgg11": (132_863_336, 7.61),
    "vgg13": (133_047_848, 11.31),
    "vgg16": (138_357_544, 15.47),
    "vgg19": (143_667_240, 19.63),
    "googlenet": (6_624_904, 1.50),
    "resnet18": (11_689_512, 1.81),
    "resnet34": (21_797_672, 3.66),
    "resnet50": (25_557_032, 4.09),
    "resnet101": (44_549_160, 7.80),
    "resnet152": (60_192_808, 11.51),
    "mobilenet_v2": (3_504_872, 0.30),
    "vit_b_16": (86_567_656, 17.56),
    "vit_b_32": (88_224_232, 4.41),
    "vit_l_16": (304_326_632, 61.55),
}
ONE = Category(names=tuple(map(str, range(1000))))


def traced(name: str, side: int = 224, **settings: object):
    rung = rung_named(name)
    rung = type(rung).parse({**rung.model_dump(), **settings})
    signature = Signature(input=Image(channels=3, height=side, width=side), output=ONE)
    with torch.device("meta"):
        network = rung.build(signature, {}).network.eval()
    return shapes(network, torch.empty(1, 3, side, side, device="meta"), (side, side))


@pytest.mark.parametrize("name", PUBLISHED)
def test_sums_are_those_that_torchvision_documents(name):
    parameters, giga = PUBLISHED[name]
    found = traced(name)
    assert found.parameters == sum(layer.parameters for layer in found.layers) == parameters
    assert found.multiply_adds == sum(layer.multiply_adds for layer in found.layers)
    assert found.multiply_adds / 1e9 == pytest.approx(giga, rel=0.01)
    assert found.layers[-1].output == (1000,)
    assert found.unused == ()


KINDS = {
    "table": (Table(columns=tuple(Column(name=f"x{i}", kind="numeric") for i in range(13))), 13),
    "sequence": (Series(channels=2, steps=20), (20, 2)),
    "picture": (Image(channels=1, height=28, width=28), (1, 28, 28)),
}
PAIRS = [
    (name, kind)
    for name, rung in RUNGS.all().items()
    for kind, (field, _) in KINDS.items()
    if issubclass(rung, Trained)
    and rung().refusal(Signature(input=field, output=Category(names=("a", "b")))) is None
]


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_counts_of_the_empty_network_are_those_of_a_real_one(name, kind):
    """Every trained rung at its default size: what is traced without memory is what happens."""
    field, size = KINDS[kind]
    rung = RUNGS[name]()
    signature = Signature(input=field, output=Category(names=("a", "b", "c")))
    with torch.device("meta"):
        empty = rung.build(signature, {}).eval()
    dtype = torch.uint8 if kind == "picture" else torch.float64
    inputs = torch.zeros(1, *(size if isinstance(size, tuple) else (size,)), dtype=dtype)
    row = empty.preprocess(inputs.to("meta"))
    sides = tuple(row.shape[2:]) if row.dim() == 4 else (inputs.shape[1],)
    found = shapes(empty.network, row, sides)
    model = rung.build(signature, {}).eval()
    with torch.no_grad():
        real = model.network(model.preprocess(inputs))
    assert found.layers[-1].output == tuple(real.shape[1:])
    assert found.parameters == sum(p.numel() for p in model.network.parameters())
    assert found.parameters == sum(layer.parameters for layer in found.layers)
    assert found.multiply_adds == multiply_adds(model, inputs)
    last = found.layers[-1]
    assert last.whole
    assert (last.stride, last.receptive_field) == (None, max(sides))


def test_a_layer_of_attention_is_counted_with_its_projections():
    """4 projections of 5 x 8 by 8 x 8; Q K^T and its product with V, 2 x 5 x 5 x 8."""
    expected = 4 * 5 * 8 * 8 + 2 * 5 * 5 * 8
    tokens = torch.zeros(1, 5, 8)
    torch_layer = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    assert multiply_adds(lambda x: torch_layer(x, x, x), tokens) == expected
    assert multiply_adds(lambda x: torch_layer(x, x, x, need_weights=False), tokens) == expected
    own = MultiHeadAttention(8, 2).eval()
    assert multiply_adds(lambda x: own(x, x, x), tokens) == expected


def test_counting_puts_the_fast_path_of_attention_back():
    before = torch.backends.mha.get_fastpath_enabled()
    with pytest.raises(RuntimeError):
        multiply_adds(nn.Linear(3, 2), torch.zeros(1, 4))
    assert torch.backends.mha.get_fastpath_enabled() == before


def conv(before: int, after: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    padding = dilation * (kernel - 1) // 2
    return nn.Conv2d(before, after, kernel, stride, padding, dilation)


class Padded(nn.Module):
    """Zeros behind alone, a window, and a sum with another path that is not moved."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.other = nn.Conv2d(2, 2, 4), nn.Conv2d(2, 2, 1)

    def forward(self, x):
        return self.conv(nn.functional.pad(x, (0, 3, 0, 3))) + self.other(x)


STACKS = {
    "3x3 four times": ([conv(1, 2, 3), conv(2, 2, 3), conv(2, 2, 3), conv(2, 2, 3)], 9, 1),
    "5x5 three times": ([conv(1, 2, 5), conv(2, 2, 5), conv(2, 2, 5)], 13, 1),
    "strides": ([conv(1, 2, 3, 2), conv(2, 2, 3, 2), conv(2, 2, 3)], 15, 4),
    "dilation": ([conv(1, 2, 3, 1, 1), conv(2, 2, 3, 1, 2), conv(2, 2, 3, 1, 4)], 15, 1),
    "pooling": ([conv(1, 2, 5), nn.AvgPool2d(2), conv(2, 2, 5), nn.AvgPool2d(3, 2)], 18, 4),
    "moved path": ([conv(1, 2, 1), Padded()], 4, 1),
    "residual": ([conv(1, 4, 3), BasicBlock(4, 4), BasicBlock(4, 8, 2)], 13, 2),
    "bottleneck": ([conv(1, 8, 3), Bottleneck(8, 2), Bottleneck(8, 4, 2)], 7, 2),
    "inception": ([conv(1, 4, 3), Inception(4, 2, 2, 2, 2, 2, 2), conv(8, 2, 3)], 7, 1),
    "inception 5x5": ([conv(1, 4, 3), Inception(4, 2, 2, 2, 2, 2, 2, True)], 7, 1),
}


def seen_by_gradient(network: nn.Module, x: torch.Tensor) -> int:
    """Side of the window with a gradient; all weights are positive, so that nothing cancels."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.zero_()
    for parameter in network.parameters():
        parameter.data = 0.1 + torch.rand_like(parameter)
    x = x.requires_grad_()
    y = network(x)
    y[0, :, y.shape[2] // 2, y.shape[3] // 2].sum().backward()
    rows = x.grad[0].sum(0).sum(1).nonzero().flatten()
    columns = x.grad[0].sum(0).sum(0).nonzero().flatten()
    assert rows[-1] - rows[0] == columns[-1] - columns[0]
    return int(rows[-1] - rows[0] + 1)


def averaged(network: nn.Module) -> nn.Module:
    """Let poolings average: the largest of a window would hide what else is in it."""
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            parent, _, own = name.rpartition(".")
            pool = nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
            setattr(network.get_submodule(parent), own, pool)
    return network


@pytest.mark.parametrize("case", STACKS)
def test_the_window_is_what_has_a_gradient(case):
    layers, field, stride = STACKS[case]
    network = averaged(nn.Sequential(*layers)).double().eval()
    x = torch.rand(1, 1, 65, 65, dtype=torch.float64)
    last = shapes(network, x.clone(), (65, 65)).layers
    outermost = max(layer.receptive_field for layer in last)
    assert outermost == field == seen_by_gradient(network, x)
    assert last[-1].stride == stride


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_equal_windows_give_the_formula_of_the_course(kernel, depth):
    network = nn.Sequential(*(conv(1, 1, kernel) for _ in range(depth)))
    found = shapes(network, torch.zeros(1, 1, 40, 40), (40, 40)).layers
    expected = [1 + n * (kernel - 1) for n in range(1, depth + 1)]
    assert [layer.receptive_field for layer in found] == expected
    assert expected[-1] == receptive_field([Window(kernel)] * depth)


CUTS = {  # name, layer up to which it is cut, side of the input, window, stride
    "lenet5": ("5", 64, 16, 4),
    "alexnet": ("features.12", 400, 195, 32),
    "resnet18": ("layer3", 400, 211, 16),
    "googlenet": ("inception4a", 400, None, 16),
    "mobilenet_v2": ("features.6", 224, None, 8),
}


STEM = ("conv1", "maxpool1", "conv2", "conv3", "maxpool2")
ORDERS = {"inception4a": (*STEM, "inception3a", "inception3b", "maxpool3", "inception4a")}


def up_to(cut: str, network: nn.Module) -> nn.Sequential:
    """The first layers of a network, in the order in which they are called."""
    first, _, place = cut.partition(".")
    children = dict(network.named_children())
    names = list(ORDERS.get(cut, children))
    kept = [children[name] for name in names[: names.index(first) + 1]]
    if place:
        kept[-1] = kept[-1][: int(place) + 1]
    return nn.Sequential(*kept)


@pytest.mark.parametrize("name", CUTS)
def test_windows_of_known_networks_are_what_has_a_gradient(name):
    cut, side, field, stride = CUTS[name]
    settings = {} if name == "lenet5" else {"width": 0.0625, "form": "published"}
    rung = type(rung_named(name)).parse(settings)
    whole = averaged(rung.network(1, 10, (32, 32) if name == "lenet5" else (224, 224)))
    kept = up_to(cut, whole)
    for module in kept.modules():
        if isinstance(module, nn.ReLU6):  # it closes above 6
            module.max_val = float("inf")
    x = torch.rand(1, 1, side, side, dtype=torch.float64)
    found = shapes(kept.double().eval(), x.clone(), (side, side)).layers
    stated = max(layer.receptive_field for layer in found)
    assert stated == seen_by_gradient(kept, x)
    assert stated < side
    assert found[-1].stride == stride
    if field is not None:
        assert stated == field


@pytest.mark.parametrize(
    ("name", "blocks", "windows"),
    [
        ("resnet18", (2, 2, 2, 2), 2),
        ("resnet34", (3, 4, 6, 3), 2),
        ("resnet50", (3, 4, 6, 3), 1),
        ("resnet101", (3, 4, 23, 3), 1),
        ("resnet152", (3, 8, 36, 3), 1),
    ],
)
def test_windows_of_resnets_are_those_of_their_longest_path(name, blocks, windows):
    """Shortcuts see less than what they pass by; the 3x3 windows of all blocks are in a row."""
    path = [Window(7, 2), Window(3, 2)]
    for stage, count in enumerate(blocks):
        path += [Window(3, 2 if stage and not place else 1) for place in range(count * windows)]
    found = [layer for layer in traced(name).layers if not layer.whole]
    assert max(layer.receptive_field for layer in found) == receptive_field(path)


def test_the_layer_that_cannot_take_its_input_is_named():
    network = nn.Sequential()
    network.add_module("features", nn.Sequential(conv(1, 2, 3), nn.MaxPool2d(8), nn.MaxPool2d(4)))
    with pytest.raises(ConfigError, match=r"layer features\.2 \(MaxPool2d\) cannot take 2 x 3 x 3"):
        shapes(network, torch.zeros(1, 1, 28, 28, device="meta"), (28, 28))
    with pytest.raises(ConfigError, match=r"layer features\.0 \(Conv2d\) cannot take 3 x 28 x 28"):
        shapes(network, torch.zeros(1, 3, 28, 28, device="meta"), (28, 28))


@pytest.mark.parametrize("layer", [nn.ConvTranspose2d(1, 1, 2, 2), nn.Upsample(scale_factor=2)])
def test_what_enlarges_has_no_one_window(layer):
    with pytest.raises(ConfigError, match="enlarges"):
        shapes(nn.Sequential(layer), torch.zeros(1, 1, 8, 8), (8, 8))


def test_a_layer_that_is_called_twice_is_listed_once_and_counted_twice():
    layer = nn.Linear(4, 4, bias=False)
    network = nn.Sequential()
    network.add_module("a", layer)
    network.forward = lambda x: layer(layer(x))
    found = shapes(network, torch.zeros(1, 4), (4,))
    assert [(x.name, x.parameters, x.multiply_adds) for x in found.layers] == [("a", 16, 32)]


def test_what_is_not_called_is_said():
    network = nn.Sequential(nn.Linear(4, 4))
    network.add_module("aside", nn.Linear(4, 4))
    network.forward = lambda x: network[0](x)
    assert shapes(network, torch.zeros(1, 4), (4,)).unused == ("aside",)
