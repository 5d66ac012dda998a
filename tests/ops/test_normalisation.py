"""Equations (57) to (62) against torch's layers."""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from gradatim.ops.normalisation import (
    Moments,
    batch_normalise,
    instance_normalise,
    layer_normalise,
    running_moments,
)

PAIRS = {
    "batch": (batch_normalise, lambda c: nn.BatchNorm2d(c, dtype=torch.float64)),
    "instance": (
        instance_normalise,
        lambda c: nn.InstanceNorm2d(c, affine=True, dtype=torch.float64),
    ),
    "layer": (layer_normalise, lambda c: nn.GroupNorm(1, c, dtype=torch.float64)),
}


def maps(*shape: int, seed: int = 0) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    return 3 + 2 * torch.randn(shape, generator=chance, dtype=torch.float64)


def fill(layer: nn.Module) -> None:
    with torch.no_grad():
        layer.weight.copy_(maps(3, seed=1))
        layer.bias.copy_(maps(3, seed=2))


@pytest.mark.parametrize("name", PAIRS)
def test_course_000_equations_57_to_62_equal_torch(name):
    ours, make = PAIRS[name]
    layer, x = make(3), maps(4, 3, 5, 6)
    fill(layer)
    torch.testing.assert_close(ours(x, layer.weight, layer.bias), layer(x))


@pytest.mark.parametrize(
    ("name", "over"), [("batch", (0, 2, 3)), ("instance", (2, 3)), ("layer", (1, 2, 3))]
)
def test_course_000_normalised_maps_have_mean_0_and_variance_1(name, over):
    x = PAIRS[name][0](maps(4, 3, 5, 6), torch.ones(3).double(), torch.zeros(3).double())
    torch.testing.assert_close(x.mean(over), torch.zeros_like(x.mean(over)))
    variance = x.var(over, correction=0)
    # The 1e-5 under the root takes a share of 1e-5 / 4 from a variance of about 4.
    torch.testing.assert_close(variance, torch.ones_like(variance), atol=1e-5, rtol=0)


def test_layer_equals_layer_norm_of_torch_without_scale():
    x = maps(4, 3, 5, 6)
    ours = layer_normalise(x, torch.ones(3).double(), torch.zeros(3).double())
    torch.testing.assert_close(ours, nn.LayerNorm((3, 5, 6), dtype=torch.float64)(x))


def test_running_moments_and_prediction_equal_torch():
    layer = nn.BatchNorm2d(3, dtype=torch.float64)
    fill(layer)
    seen = Moments(torch.zeros(1, 3, 1, 1).double(), torch.ones(1, 3, 1, 1).double())
    for seed in range(3):
        x = maps(2, 3, 4, 4, seed=seed)
        layer(x)
        seen = running_moments(seen, x)
    torch.testing.assert_close(seen.mean.flatten(), layer.running_mean)
    torch.testing.assert_close(seen.variance.flatten(), layer.running_var)
    ours = batch_normalise(x, layer.weight, layer.bias, seen)
    torch.testing.assert_close(ours, layer.eval()(x))


@pytest.mark.parametrize("name", PAIRS)
def test_even_maps_give_beta_and_finite_slopes(name):
    x = torch.full((2, 3, 2, 2), 5.0, requires_grad=True)
    y = PAIRS[name][0](x, torch.ones(3), torch.full((3,), 0.5))
    y.square().sum().backward()
    assert (y == 0.5).all()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("name", PAIRS)
def test_slopes_and_their_slopes(name):
    inputs = tuple(v.requires_grad_() for v in (maps(2, 2, 2, 3), maps(2), maps(2, seed=1)))
    assert gradcheck(PAIRS[name][0], inputs)
    assert gradgradcheck(PAIRS[name][0], inputs)
