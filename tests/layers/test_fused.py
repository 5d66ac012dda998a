"""Which layers `FusedSequential` takes in one pass, and that nobody can tell from outside."""

import copy
from collections import OrderedDict
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gradatim.core.signature import Category, Image, Signature
from gradatim.explain.moments import simple_chain
from gradatim.layers import fused
from gradatim.layers.fused import FusedSequential
from gradatim.models.lenet5 import LeNet5
from gradatim.ops.fused_convolution import convolve_relu_pool


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """The inputs of every pass that was taken at once."""
    seen: list[Tensor] = []

    def spy(x: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
        seen.append(x)
        return convolve_relu_pool(x, weight, bias, padding)

    monkeypatch.setattr(fused, "convolve_relu_pool", spy)
    return seen


def chain(**changes: nn.Module) -> OrderedDict[str, nn.Module]:
    layers = {"conv": nn.Conv2d(2, 4, 3, padding=1), "bend": nn.ReLU(), "pool": nn.MaxPool2d(2)}
    return OrderedDict({**layers, **changes})


def pictures(rows: int = 3) -> Tensor:
    return torch.randn(rows, 2, 11, 12, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"bend": nn.ReLU(inplace=True)},
        {"conv": nn.Conv2d(2, 4, 5, padding=(2, 2)), "pool": nn.MaxPool2d((2, 2), (2, 2))},
        {"conv": nn.Conv2d(2, 4, 1)},  # the operator decides about sizes, and takes the plain way
    ],
    ids=["plain", "inplace", "pairs", "small"],
)
def test_takes_three_layers_at_once(changes, passes):
    layers = chain(**changes)
    network = FusedSequential(OrderedDict(first=nn.Identity(), **layers, last=nn.Flatten()))
    right = nn.Sequential(nn.Identity(), *layers.values(), nn.Flatten())(pictures())
    torch.testing.assert_close(network(pictures()), right)
    assert len(passes) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"conv": nn.Conv2d(2, 4, 3, stride=2)},
        {"conv": nn.Conv2d(2, 4, 3, dilation=2)},
        {"conv": nn.Conv2d(2, 4, 3, groups=2)},
        {"conv": nn.Conv2d(2, 4, 3, bias=False)},
        {"conv": nn.Conv2d(2, 4, (3, 5))},
        {"conv": nn.Conv2d(2, 4, 3, padding=(1, 0))},
        {"conv": nn.Conv2d(2, 4, 3, padding="same")},
        {"conv": nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect")},
        {"conv": nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 4, 3))},
        {"bend": nn.LeakyReLU()},
        {"bend": nn.Sequential(nn.ReLU())},
        {"pool": nn.AvgPool2d(2)},
        {"pool": nn.MaxPool2d(3)},
        {"pool": nn.MaxPool2d(2, stride=1)},
        {"pool": nn.MaxPool2d(2, padding=1)},
        {"pool": nn.MaxPool2d(2, dilation=2)},
        {"pool": nn.MaxPool2d(2, ceil_mode=True)},
        {"pool": nn.Identity()},
    ],
    ids=str,
)
def test_takes_other_layers_one_by_one(changes, passes):
    layers = chain(**changes)
    right = nn.Sequential(layers)(pictures())
    assert torch.equal(FusedSequential(layers)(pictures()), right)
    assert not passes


def test_indices_of_a_pooling_are_returned(passes):
    layers = chain(pool=nn.MaxPool2d(2, return_indices=True))
    assert isinstance(FusedSequential(layers)(pictures()), tuple)
    assert not passes


LISTENING: list[Callable[[nn.Module, Callable[..., None]], object]] = [
    nn.Module.register_forward_hook,
    nn.Module.register_forward_pre_hook,
    nn.Module.register_full_backward_hook,
    nn.Module.register_full_backward_pre_hook,
]


@pytest.mark.parametrize("listen", LISTENING, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ["conv", "bend", "pool"])
def test_who_listens_to_a_layer_hears_it(listen, name, passes):
    heard: list[nn.Module] = []
    network = FusedSequential(chain())
    handle = listen(network.get_submodule(name), lambda layer, *_: heard.append(layer))
    network(pictures().requires_grad_()).sum().backward()
    assert heard == [network.get_submodule(name)]
    assert not passes
    handle.remove()
    network(pictures())
    assert len(passes) == 1


def test_who_listens_to_all_layers_hears_each(passes):
    heard: list[str] = []
    handle = nn.modules.module.register_module_forward_hook(
        lambda layer, *_: heard.append(type(layer).__name__)
    )
    try:
        FusedSequential(chain())(pictures())
    finally:
        handle.remove()
    assert heard == ["Conv2d", "ReLU", "MaxPool2d", "FusedSequential"]
    assert not passes


def lenet(channels: int = 1) -> nn.Module:
    torch.manual_seed(0)
    image = Image(channels=channels, height=28, width=28)
    signature = Signature(input=image, output=Category(names=tuple("0123456789")))
    return LeNet5().build(signature, {}).network


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_lenet_is_the_network_that_it_was(channels, layout, passes):
    network = lenet(channels)
    assert isinstance(network, nn.Sequential)
    usual = nn.Sequential(*network)
    assert list(network.state_dict()) == list(usual.state_dict())
    x = torch.randn(17, channels, 32, 32).contiguous(memory_format=layout)
    pairs = []
    for way in (network, usual):
        out = way(x)
        slopes = torch.autograd.grad(out.square().mean(), list(network.parameters()))
        pairs.append([out, *slopes])
    for found, right in zip(*pairs, strict=True):
        # float32: sums of 17 x 784 products, each way in its own order
        assert (found - right).abs().max() <= 5e-6 * right.abs().max()
    assert len(passes) == 2


def test_float64_takes_slopes_of_slopes(smooth):
    """The plain way, which gradcheck and Newton's method need."""
    torch.manual_seed(0)
    smooth(FusedSequential(chain(conv=nn.Conv2d(2, 2, 3))), torch.randn(1, 2, 6, 6).double())


def test_theory_of_signals_walks_through(passes):
    network = lenet()
    names = [name for name, _ in simple_chain(network, torch.randn(2, 1, 32, 32))]
    usual = nn.Sequential(*network)
    assert names == [name for name, _ in simple_chain(usual, torch.randn(2, 1, 32, 32))] != []


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_and_relu_are_one_pass(training):
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.BatchNorm2d(8)]
    network = FusedSequential(*layers).train(training)
    usual = nn.Sequential(*copy.deepcopy(layers)).train(training)
    x = pictures().contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(network(x), usual(x), rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(network.buffers(), usual.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_relu_that_somebody_listens_to_is_called():
    network, heard = FusedSequential(nn.BatchNorm2d(2), nn.ReLU()), []
    network[1].register_forward_hook(lambda module, given, answer: heard.append(given[0]))
    network(pictures())
    assert (heard[0] < 0).any()
