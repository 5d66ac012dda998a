"""Measured signals and gradients against theory, and the sentence that names the layer."""

import math

import pytest
import torch
from torch import nn

from gradatim.explain.examples import signature_for
from gradatim.explain.moments import moments, predicted, simple_chain
from gradatim.explain.signal import LayerSignal, judge, signal
from gradatim.layers.initialisation import initialise
from gradatim.models.mlp import Mlp

X = torch.randn(64, 300, generator=torch.Generator().manual_seed(0))


def measured(activation: str, rule: str, depth: int = 8, seeds: int = 6, dropout: float = 0.0):
    rung = Mlp(depth=depth, width=300, activation=activation, dropout=dropout)
    signature = signature_for(rung, "300")

    def build() -> nn.Module:
        network = rung.build(signature, {}).network
        initialise(network, rule)
        return network

    return signal(build, X, seeds, known=rule != "constant")


@pytest.mark.parametrize(
    ("activation", "rule", "dropout"),
    [
        ("relu", "he", 0.0),
        ("relu", "he", 0.3),
        ("relu", "own", 0.0),
        ("tanh", "xavier", 0.0),
        ("gelu", "he", 0.0),
        ("sigmoid", "xavier", 0.0),
        ("relu", "small", 0.0),
        ("relu", "large", 0.0),
    ],
)
def test_measured_is_predicted(activation, rule, dropout):
    """Of six networks of width 300: the mean square of a layer is known to about
    sqrt(2 layers / (6 * 300)), 10 %; the last layer of ten units to about 20 %."""
    layers = measured(activation, rule, dropout=dropout)
    assert len(layers) == 9
    for layer in layers[:-1]:
        assert layer.signal == pytest.approx(layer.expected_signal, rel=0.3)
        assert layer.gradient == pytest.approx(layer.expected_gradient, rel=0.35)
    assert layers[-1].signal == pytest.approx(layers[-1].expected_signal, rel=0.6)
    assert layers[-1].gradient == layers[-1].expected_gradient == 1


def test_he_keeps_the_variance_of_relu_layers():
    """Course 000, equation (54): M/2 var(w) = 1; the first layer gives 2 E[x^2]."""
    layers = measured("relu", "he")
    for layer in layers[:-1]:
        assert layer.expected_signal == pytest.approx(2 * X.square().mean().item(), rel=0.1)


def test_the_product_of_the_course():
    """var(g^(L)) = M_1 var(w^(1)) E[x^2] prod_l M_l/2 var(w^(l)), with biases left out."""
    network = nn.Sequential(
        nn.Linear(300, 200), nn.ReLU(), nn.Linear(200, 100), nn.ReLU(), nn.Linear(100, 50)
    )
    initialise(network, "small")
    chain = simple_chain(network, X)
    sizes = [network[k].weight.double().square().mean().item() for k in (0, 2, 4)]
    second = X.double().square().mean().item()
    course = 300 * sizes[0] * second * (200 / 2 * sizes[1]) * (100 / 2 * sizes[2])
    assert len(chain) == 3
    assert predicted([link for _, link in chain], second)[0][-1] == pytest.approx(course)


@pytest.mark.parametrize("variance", [0.01, 1.0, 25.0, 2500.0])
def test_moments_are_those_of_closed_forms_and_sampling(variance):
    assert moments(nn.ReLU(), variance) == pytest.approx((variance / 2, 0.5))
    assert moments(None, variance) == (variance, 1.0)
    # Two million draws: a slope that few of them meet is known to about 1 %.
    z = math.sqrt(variance) * torch.randn(2_000_000, generator=torch.Generator().manual_seed(1))
    slope = 1 - z.tanh().square()
    expected = (z.tanh().square().mean().item(), slope.square().mean().item())
    assert moments(nn.Tanh(), variance) == pytest.approx(expected, rel=0.02)


def test_the_slope_of_a_sigmoid_is_at_most_a_quarter():
    """At variance 0 it is 1/4 exactly; the course's bound, squared."""
    assert moments(nn.Sigmoid(), 1e-12)[1] == pytest.approx(1 / 16)
    assert moments(nn.Sigmoid(), 4.0)[1] < 1 / 16


def test_a_convolution_counts_the_inputs_that_are_no_padding():
    """3 x 3 on 4 x 4 with zeros around: 100 of 144 entries of the windows are inputs."""
    pictures = torch.randn(500, 2, 4, 4, generator=torch.Generator().manual_seed(0))

    def build() -> nn.Module:
        network = nn.Sequential(
            nn.Conv2d(2, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 32, 3, padding=1, stride=2)
        )
        initialise(network, "he")
        return network

    first, last = signal(build, pictures, 8)
    assert first.signal == pytest.approx(2 * 100 / 144, rel=0.1)
    assert first.expected_signal == pytest.approx(first.signal, rel=0.1)
    assert last.expected_signal == pytest.approx(last.signal, rel=0.1)
    assert first.expected_gradient == pytest.approx(first.gradient, rel=0.1)


def test_theory_is_silent_where_the_chain_is_not_simple():
    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(300, 50), nn.BatchNorm1d(50), nn.ReLU(), nn.Linear(50, 5))

    first, last = signal(build, X, 2)
    assert first.expected_signal is not None
    assert (first.expected_gradient, last.expected_signal) == (None, None)
    assert all(layer.expected_signal is None for layer in measured("relu", "constant", 2, 1))


def test_the_sentence_names_the_layer():
    sizes = [1.0, 0.5, 5e-4, 1e-5]
    layers = [LayerSignal(f"n{k}", "Linear", 3 * s, 1.0) for k, s in enumerate(sizes)]
    forth, back = judge(layers)
    assert "Signals are vanishing: at layer 3 of 4 (n2: Linear)" in forth
    assert "Gradients keep their size" in back
    layers = [LayerSignal(f"n{k}", "Linear", 1.0, g) for k, g in enumerate([1e9, 2e4, 10.0, 1.0])]
    forth, back = judge(layers)
    assert "Signals keep their size" in forth
    assert "Gradients are exploding: at layer 2 of 4 (n1: Linear)" in back


def test_sigmoid_layers_lose_their_gradient_and_large_weights_explode():
    assert "Gradients are vanishing: at layer" in judge(measured("sigmoid", "xavier", seeds=2))[1]
    forth, back = judge(measured("relu", "large", seeds=2))
    assert "exploding" in forth
    assert "exploding" in back
    assert all("keep" in said for said in judge(measured("relu", "he", seeds=2)))


def test_chance_is_the_seeds_alone():
    torch.manual_seed(1)
    one = measured("relu", "he", 3, 2)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert measured("relu", "he", 3, 2) == one
    assert torch.equal(torch.get_rng_state(), state)
