"""Networks of the course by hand: the perceptron of layers, dropout, LeNet-5 layer by layer."""

import math

import pytest
import torch
from torch import nn

from gradatim.core.signature import Column, Quantity, Signature, Table
from gradatim.layers.lenet import Subsampling
from gradatim.models.lenet5 import LeNet5
from gradatim.models.mlp import ACTIVATIONS, Mlp

BENDS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "relu": lambda x: x if x >= 0 else 0.0,
}


def network(depth: int = 1, **settings: object) -> nn.Sequential:
    """The network of the slides: three inputs, K_1 = 4 hidden units, K_2 = 2 outputs."""
    columns = tuple(Column(name=f"x{j}", kind="numeric") for j in range(3))
    signature = Signature(input=Table(columns=columns), output=Quantity(names=("d1", "d2")))
    torch.manual_seed(0)
    return Mlp(width=4, depth=depth, **settings).build(signature, {}).network.double().eval()


@pytest.mark.parametrize("name", BENDS)
def test_course_000_activations(name):
    """(19) and its neighbours, at 0 and at both sides of it."""
    bend = ACTIVATIONS[name]()
    for x in (-2.0, -0.5, 0.0, 0.5, 2.0):
        assert bend(torch.tensor(x).double()).item() == pytest.approx(BENDS[name](x), abs=1e-15)


def by_loops(layers: nn.Sequential, bend, x: list[float]) -> list[float]:
    """c_k = w_0k + sum_j w_jk x_j and z_k = a(c_k), layer after layer; the last one has no a."""
    *hidden, last = [m for m in layers.requires_grad_(False) if isinstance(m, nn.Linear)]
    for layer in hidden:
        x = [bend(c) for c in sums(layer, x)]
    return sums(last, x)


def sums(layer: nn.Linear, x: list[float]) -> list[float]:
    return [
        float(layer.bias[k]) + sum(float(layer.weight[k, j]) * value for j, value in enumerate(x))
        for k in range(layer.out_features)
    ]


@pytest.mark.parametrize("name", BENDS)
def test_course_000_equations_8_to_11_by_loops(name):
    layers, x = network(activation=name), [0.3, -1.2, 2.0]
    found = layers(torch.tensor([x], dtype=torch.float64))[0].tolist()
    assert found == pytest.approx(by_loops(layers, BENDS[name], x), rel=1e-12)


def test_course_000_network_of_hes_derivation_by_loops():
    """Three layers, and a ReLU after two of them."""
    layers, x = network(depth=2), [0.3, -1.2, 2.0]
    found = layers(torch.tensor([x], dtype=torch.float64))[0].tolist()
    assert found == pytest.approx(by_loops(layers, BENDS["relu"], x), rel=1e-12)


def test_course_000_without_a_bend_layers_are_one_linear_map():
    """W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)."""
    layers, x = network(), torch.randn(5, 3, generator=torch.Generator().manual_seed(1)).double()
    first, last = layers[0], layers[-1]
    one = x @ (last.weight @ first.weight).T + last.weight @ first.bias + last.bias
    torch.testing.assert_close(last(first(x)), one)
    assert not torch.allclose(layers(x), one)


def test_course_000_dropout_keeps_the_mean_and_is_for_training_alone():
    """A unit is 0 with probability p, otherwise x / (1 - p)."""
    (drop,) = [m for m in network(dropout=0.25).modules() if isinstance(m, nn.Dropout)]
    x = torch.full((100, 1000), 3.0).double()
    torch.manual_seed(0)
    dropped = drop.train()(x)
    assert dropped.unique().tolist() == [0, 4]
    # 100,000 coins: the share of zeros scatters by sqrt(0.25 * 0.75 / 1e5) = 0.0014.
    assert (dropped == 0).double().mean().item() == pytest.approx(0.25, abs=0.006)
    assert torch.equal(drop.eval()(x), x)


def test_course_001_lenet5_volumes_and_order_of_layers():
    """(Conv, ReLU, pooling) twice, flatten, (linear, ReLU) twice, linear."""
    layers, x = LeNet5().network(1, 10, (32, 32)), torch.zeros(1, 1, 32, 32)
    pattern = [nn.Conv2d, nn.ReLU, nn.MaxPool2d] * 2 + [nn.Flatten]
    pattern += [nn.Linear, nn.ReLU] * 2 + [nn.Linear]
    assert [type(layer) for layer in layers] == pattern
    volumes = [x.numel()]
    for layer in layers:
        x = layer(x)
        if not isinstance(layer, nn.ReLU | nn.Flatten):
            volumes.append(x.numel())
    assert volumes == [1024, 4704, 1176, 1600, 400, 120, 84, 10]
    assert sum(p.numel() for p in layers.parameters()) == 61_706  # one bias a filter


def test_course_001_average_pooling_of_the_first_lenet():
    """With its first coefficients, 1/4 a place, the sub-sampling of 1998 is the mean of four."""
    x = torch.tensor([[1.0, 2.0, 0.0, 8.0], [3.0, 4.0, 0.0, 0.0]])[None, None]
    assert Subsampling(1)(x).tolist() == [[[[2.5, 2.0]]]]


def test_course_001_max_pooling_of_lenet5():
    (pool, _) = [m for m in LeNet5().network(1, 10, (32, 32)) if isinstance(m, nn.MaxPool2d)]
    x = torch.tensor([[1.0, 2.0, 0.0, 8.0], [3.0, 4.0, 0.0, 0.0]])[None, None]
    assert pool(x).tolist() == [[[[4.0, 8.0]]]]
