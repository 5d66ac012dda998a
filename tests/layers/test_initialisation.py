"""How weights begin: moments against the formula of each rule."""

import pytest
import torch
from torch import nn

from gradatim.layers.initialisation import initialise

FAN_IN, FAN_OUT = 300, 200


def started(rule: str, layer: nn.Module, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    initialise(layer, rule)
    return layer


def kernels() -> nn.Conv2d:
    """Fan-in 30 * 9 = 270, fan-out 40 * 9 = 360."""
    return nn.Conv2d(30, 40, 3)


@pytest.mark.parametrize(
    ("rule", "dense", "convolution"),
    [
        ("small", 0.01**2, 0.01**2),
        ("large", 1.0, 1.0),
        ("xavier", 2 / (FAN_IN + FAN_OUT), 2 / (270 + 360)),
        ("he", 2 / FAN_IN, 2 / 270),
    ],
)
def test_variance_and_mean_are_those_of_the_formula(rule, dense, convolution):
    """With n weights the variance scatters by sqrt(2/n): 0.6 % and 1.4 %; four times is allowed."""
    for layer, variance in ((nn.Linear(FAN_IN, FAN_OUT), dense), (kernels(), convolution)):
        weight = started(rule, layer).weight.detach().double()
        n = weight.numel()
        assert weight.var().item() == pytest.approx(variance, rel=4 * (2 / n) ** 0.5)
        assert abs(weight.mean().item()) < 4 * (variance / n) ** 0.5
        # A normal has kurtosis 3 (uniform: 1.8), which scatters by sqrt(24/n).
        kurtosis = (weight / weight.std()).pow(4).mean().item()
        assert kurtosis == pytest.approx(3, abs=4 * (24 / n) ** 0.5)


def test_he_keeps_the_size_of_signals_through_relus():
    """Course 000, equation (54): E[x^2] is the same after twenty layers, within chance."""
    torch.manual_seed(1)
    layers = [started("he", nn.Linear(512, 512), seed) for seed in range(20)]
    x = torch.randn(64, 512)
    with torch.no_grad():
        for layer in layers:
            x = layer(x).relu()
    # E[relu^2] of N(0, 2) is 1; the width lets it wander by some sqrt(20 * 5 / 512) = 0.44 at most.
    assert 0.5 < x.square().mean().item() < 2.0


def test_orthogonal_rows_have_length_root_two():
    for shape in ((5, 9), (9, 5)):
        weight = started("orthogonal", nn.Linear(*shape)).weight.detach().double()
        short = weight if weight.shape[0] < weight.shape[1] else weight.T
        expected = 2 * torch.eye(len(short), dtype=torch.float64)
        torch.testing.assert_close(short @ short.T, expected, rtol=0, atol=1e-5)


def test_constant_units_stay_twins():
    """The symmetry failure: after steps of descent all units of the layer are still equal."""
    net = started("constant", nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2)))
    assert torch.equal(net[0].weight, torch.full((6, 4), 0.1))
    chance = torch.Generator().manual_seed(0)
    x, t = torch.randn(32, 4, generator=chance), torch.randint(0, 2, (32,), generator=chance)
    for _ in range(5):
        loss = nn.functional.cross_entropy(net(x), t)
        gradients = torch.autograd.grad(loss, list(net.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(net.parameters(), gradients, strict=True):
                parameter -= 0.5 * gradient
    weight = net[0].weight.detach()
    assert not torch.equal(weight, torch.full((6, 4), 0.1)), "it learns"
    torch.testing.assert_close(weight, weight[:1].expand_as(weight))


@pytest.mark.parametrize("rule", ["constant", "small", "large", "xavier", "he", "orthogonal"])
def test_biases_become_zero_and_other_layers_keep_their_own(rule):
    net = nn.Sequential(nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3), nn.Flatten(), nn.Linear(9, 2))
    nn.init.constant_(net[1].weight, 0.7)
    started(rule, net)
    assert torch.equal(net[0].bias, torch.zeros(3))
    assert torch.equal(net[3].bias, torch.zeros(2))
    assert torch.equal(net[1].weight, torch.full((3,), 0.7))


def test_own_touches_nothing_and_draws_nothing():
    layer = nn.Linear(3, 2)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    state = torch.get_rng_state()
    initialise(layer, "own")
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in layer.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("rule", ["small", "large", "xavier", "he", "orthogonal"])
def test_chance_is_the_global_generator(rule):
    first, same = started(rule, nn.Linear(4, 3), 5), started(rule, nn.Linear(4, 3), 5)
    other = started(rule, nn.Linear(4, 3), 6)
    assert torch.equal(first.weight, same.weight)
    assert not torch.equal(first.weight, other.weight)
