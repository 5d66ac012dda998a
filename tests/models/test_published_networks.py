"""The published networks against published figures, torchvision's names and trained weights."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from skimage import data
from sklearn.datasets import load_sample_image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from gradatim.core.signature import Category, Image, Signature
from gradatim.layers.lenet import CONNECTIONS, Codes, ScaledTanh, TableConvolution, codes_for
from gradatim.models import RUNGS, rung_named
from gradatim.session.objects import choose_rungs

KEYS = json.loads((Path(__file__).parent / "torchvision_keys.json").read_text())

COUNTS = {
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "googlenet": 6_624_904,
    "googlenet_5x5": 7_005_832,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "mobilenet_v2": 3_504_872,
    "efficientnet_lite0": 4_652_008,
}
"""As torchvision documents them; the last counted in the weights that are shared."""

GIGA = {
    "alexnet": 0.714,
    "vgg11": 7.609,
    "vgg13": 11.308,
    "vgg16": 15.470,
    "vgg19": 19.632,
    "googlenet": 1.498,
    "resnet18": 1.814,
    "resnet34": 3.664,
    "resnet50": 4.089,
    "resnet101": 7.801,
    "resnet152": 11.514,
    "mobilenet_v2": 0.301,
    "efficientnet_lite0": 0.385,
}
"""Multiply-adds as torchvision documents them; Lite0's are those of d-li14's port."""

FAMILIES = ("alexnet", "vgg", "googlenet", "resnet", "mobilenet_v2", "efficientnet_lite0")


def signature(side: int, classes: int, channels: int = 3) -> Signature:
    names = tuple(str(n) for n in range(classes))
    picture = Image(channels=channels, height=side, width=side)
    return Signature(input=picture, output=Category(names=names))


def empty(name: str, side: int = 224, classes: int = 1000, **settings: object) -> nn.Module:
    """The network, with shapes and without numbers."""
    with torch.device("meta"):
        rung = rung_named(name).model_copy(update=settings)
        return rung.build(signature(side, classes), {}).network


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_are_the_published_ones_to_the_unit(name):
    assert parameters(empty(name)) == COUNTS[name]


def test_every_published_name_is_counted():
    named = {n for family in FAMILIES for n in RUNGS[family].published}
    assert named == set(COUNTS)


@pytest.mark.parametrize("name", KEYS)
def test_state_dict_has_torchvision_names_and_shapes(name):
    settings = {"auxiliary": True} if name == "googlenet" else {}
    state = empty(name, **settings).state_dict()
    lines = sorted(f"{key} {list(tensor.shape)}" for key, tensor in state.items())
    assert len(lines) == KEYS[name]["tensors"]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == KEYS[name]["sha256"]


@pytest.mark.parametrize("name", GIGA)
def test_multiply_adds_are_within_one_percent_of_the_published_ones(name):
    """Torch counts matrix products and convolutions; published counts may add a bias or a norm."""
    network = empty(name).eval()
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, 224, 224, device="meta"))
    assert counter.get_total_flops() / 2e9 == pytest.approx(GIGA[name], rel=0.01)


@pytest.mark.parametrize("side", [28, 32, 64])
@pytest.mark.parametrize("name", FAMILIES)
def test_small_pictures_keep_their_size_and_get_the_small_form(name, side):
    """The map that the head averages has at least one place, and no picture grows past its need."""
    rung = RUNGS[name]()
    image = signature(side, 10).input
    assert rung.extent(image) == (max(side, rung.least),) * 2
    network = rung.build(signature(side, 10), {}).network.eval()
    assert network(torch.randn(1, 3, *rung.extent(image))).shape == (1, 10)
    published = rung.model_copy(update={"form": "published"})
    assert published.extent(image) == (224, 224)


def test_form_overrules_the_picture():
    rung = rung_named("resnet18")
    large = signature(300, 10).input
    assert rung.extent(large) == (224, 224)
    assert rung.model_copy(update={"form": "small"}).extent(large) == (64, 64)
    with torch.device("meta"):
        small = rung.build(signature(32, 10), {}).network
    assert small.conv1.kernel_size == (3, 3)
    assert isinstance(small.maxpool, nn.Identity)


def test_two_names_of_one_network_are_one_rung():
    """`resnet` is `resnet18` until it is set otherwise: a climb fits it once."""
    names = [rung.name for rung in choose_rungs(["resnet", "vgg", "resnet18"])]
    assert names == ["vgg11_bn", "resnet18"]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_climb_tries_them_only_when_they_are_named(name):
    assert not RUNGS[name].default


def test_googlenet_answers_with_all_heads_while_training_alone():
    rung = rung_named("googlenet").model_copy(update={"auxiliary": True, "width": 0.125})
    network = rung.build(signature(32, 7), {}).network
    x = torch.randn(2, 3, 32, 32)
    heads = network.train()(x)
    assert [tuple(head.shape) for head in heads] == [(2, 7)] * 3
    sum(head.sum() for head in heads).backward()
    assert all(p.grad is not None and p.grad.any() for p in network.aux1.parameters())
    assert network.eval()(x).shape == (2, 7)


def test_auxiliary_heads_come_after_4d_and_4a():
    """torchvision's order: main, aux2, aux1."""
    rung = rung_named("googlenet").model_copy(update={"auxiliary": True, "width": 0.125})
    network = rung.build(signature(32, 3), {}).network.train()
    seen: list[str] = []
    for name in ("inception4a", "aux1", "inception4d", "aux2", "inception4e"):
        network.get_submodule(name).register_forward_hook(lambda *_, name=name: seen.append(name))
    kept: dict[str, Tensor] = {}
    for name in ("aux1", "aux2"):
        network.get_submodule(name).register_forward_hook(
            lambda _, __, said, name=name: kept.update({name: said})
        )
    _, second, first = network(torch.randn(2, 3, 32, 32))
    assert seen == ["inception4a", "aux1", "inception4d", "aux2", "inception4e"]
    assert second is kept["aux2"]
    assert first is kept["aux1"]


def lenet() -> nn.Module:
    return rung_named("lenet5_1998").build(signature(28, 10, channels=1), {}).network


def test_lenet_of_1998_has_60_000_parameters():
    """Layer by layer as in section II-B of the paper."""
    layers = {"C1": 156, "S2": 12, "C3": 1_516, "S4": 32, "C5": 48_120, "F6": 10_164}
    network = lenet()
    assert {name: parameters(network.get_submodule(name)) for name in layers} == layers
    assert parameters(network) == 60_000
    assert not list(network.get_submodule("output").parameters())


def test_a_map_of_c3_sees_the_maps_of_its_row_and_no_other():
    convolution = TableConvolution()
    rows, pairs = len(CONNECTIONS), sum(len(seen) for seen in CONNECTIONS)
    assert (rows, pairs) == (16, 60)
    x = torch.randn(1, 6, 14, 14)
    base = convolution(x)
    for before in range(6):
        changed = x.clone()
        changed[:, before] += 1
        moved = (convolution(changed) - base).abs().amax((0, 2, 3)) > 1e-6
        assert moved.tolist() == [before in seen for seen in CONNECTIONS]


def test_a_full_table_is_an_ordinary_convolution():
    convolution = TableConvolution(((0, 1), (0, 1), (0, 1)))
    x = torch.randn(2, 2, 9, 9)
    peer = nn.functional.conv2d(x, convolution.weight.view(3, 2, 5, 5), convolution.bias)
    torch.testing.assert_close(convolution(x), peer)


def test_the_nearest_code_wins():
    codes = torch.from_numpy(codes_for(10)).float()
    logits = Codes(10)(codes)
    assert logits.argmax(1).tolist() == list(range(10))
    torch.testing.assert_close(logits.diagonal(), torch.zeros(10))
    gaps = (codes[:, None] - codes).square().sum(2) / 4
    assert gaps[~torch.eye(10, dtype=torch.bool)].min() >= 6, "two digits are drawn alike"


def test_squashing_keeps_one():
    torch.testing.assert_close(
        ScaledTanh()(torch.tensor([-1.0, 1.0])), torch.tensor([-1.0, 1.0]), atol=1e-4, rtol=0
    )


PICTURES = {"coffee": {967}, "cat": {281, 282, 285}, "china": {698}}
"""Espresso; tabby, tiger cat, Egyptian cat; palace: numbers of ImageNet's classes."""


def picture(name: str, resample: Picture.Resampling) -> Tensor:
    """The middle 224 x 224 of the picture whose shorter side was made 256 pixels."""
    makers = {"coffee": data.coffee, "cat": data.chelsea}
    pixels = makers[name]() if name in makers else load_sample_image(f"{name}.jpg")
    whole = Picture.fromarray(pixels)
    scale = 256 / min(whole.size)
    whole = whole.resize((int(whole.width * scale), int(whole.height * scale)), resample)
    left, top = (whole.width - 224) // 2, (whole.height - 224) // 2
    middle = np.array(whole.crop((left, top, left + 224, top + 224)))
    return torch.from_numpy(middle).permute(2, 0, 1)[None] / 255


WEIGHTS = {
    "mobilenet_v2": (
        "mobilenet_v2-b0353104.pth",
        Picture.Resampling.BILINEAR,
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
    ),
    "efficientnet_lite0": (
        "efficientnet-lite0-57934424.pth",
        Picture.Resampling.BICUBIC,
        (127 / 255,) * 3,
        (128 / 255,) * 3,
    ),
}
"""File, resampling, mean and deviation of each channel that the weights were trained with."""


@pytest.mark.parametrize("name", WEIGHTS)
def test_trained_weights_load_strictly_and_recognise_photographs(name, data_root):
    file, resample, mean, deviation = WEIGHTS[name]
    network = rung_named(name).build(signature(224, 1000), {}).network.eval()
    state = torch.load(data_root / "weights" / file, weights_only=True)
    network.load_state_dict(state, strict=True)
    for photograph, right in PICTURES.items():
        x = picture(photograph, resample)
        x = (x - torch.tensor(mean)[:, None, None]) / torch.tensor(deviation)[:, None, None]
        with torch.no_grad():
            assert int(network(x).argmax()) in right, photograph
