"""Steps of flows: undone exactly, and log determinants that are those of autograd's Jacobian."""

import math

import pytest
import torch
from torch import nn

from gradatim.layers.generative.affine import ActNorm, AffineCoupling
from gradatim.layers.generative.ends import Logit, Tails
from gradatim.layers.generative.flow import Bijection, Flow
from gradatim.layers.generative.masked import Masked
from gradatim.layers.generative.planes import ChannelCoupling, Mixing, Scale, glow_steps
from gradatim.layers.generative.spline import AutoregressiveSpline

PLANES = (2, 4, 8)


def glow() -> Scale:
    inner = Scale((4, 2, 4), glow_steps(16, 1, 5, 0.0))
    return Scale(PLANES, glow_steps(8, 2, 5, 0.0), inner)


STEPS = {
    "coupling": (lambda: AffineCoupling(torch.arange(6) % 2 == 0, nn.Linear(6, 12)), (6,)),
    "actnorm": (lambda: ActNorm(6), (6,)),
    "actnorm of planes": (lambda: ActNorm(2, 3), PLANES),
    "logit": (lambda: Logit(0.01), (6,)),
    "tails": (lambda: Tails(0.3), (6,)),
    "spline": (lambda: AutoregressiveSpline(6, 5, 3.0, 16, 2, 0.0), (6,)),
    "spline backwards": (
        lambda: AutoregressiveSpline(6, 5, 3.0, 16, 1, 0.0, backwards=True),
        (6,),
    ),
    "mixing": (lambda: Mixing(2), PLANES),
    "channel coupling": (lambda: ChannelCoupling(2, 5), PLANES),
    "scales": (glow, PLANES),
}


@pytest.fixture(params=STEPS)
def step(request) -> tuple[Bijection, torch.Tensor]:
    """A step with weights far from their start, in float64, and rows between 0 and 1."""
    make, shape = STEPS[request.param]
    chance = torch.Generator().manual_seed(3)
    torch.manual_seed(0)
    made = make().double().eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=chance, dtype=torch.float64))
    return made, torch.rand(4, *shape, generator=chance, dtype=torch.float64)


def test_undone_it_gives_the_rows_back(step):
    made, x = step
    with torch.no_grad():
        z, _ = made(x)
        torch.testing.assert_close(made.inverse(z), x, atol=1e-9, rtol=0)


def test_log_determinant_is_that_of_the_jacobian(step):
    made, x = step
    _, log_det = made(x)
    for row in range(len(x)):
        jacobian = torch.autograd.functional.jacobian(
            lambda one: made(one.view(1, *x.shape[1:]))[0].flatten(), x[row].flatten()
        )
        true = torch.linalg.slogdet(jacobian)[1]
        torch.testing.assert_close(log_det[row], true, atol=1e-9, rtol=1e-9)


def test_in_float32_it_is_undone_to_1e_5(step):
    made, x = step
    made, x = made.float(), x.float()
    with torch.no_grad():
        torch.testing.assert_close(made.inverse(made(x)[0]), x, atol=1e-5, rtol=1e-5)


def test_a_flow_adds_up_and_integrates_to_one():
    """Of two numbers, on a grid that is finest around 0: densities times the areas of cells."""
    torch.manual_seed(0)
    steps = [Tails(2.0), AutoregressiveSpline(2, 6, 3.0, 8, 1, 0.0)]
    steps.append(AffineCoupling(torch.tensor([True, False]), nn.Linear(2, 4)))
    flow = Flow(steps, (2,)).double()
    with torch.no_grad():
        for weight in flow.parameters():
            weight.add_(0.5 * torch.randn_like(weight))
        even = torch.linspace(-5, 5, 1601, dtype=torch.float64)
        axis, width = even.sinh(), even.cosh() * (even[1] - even[0])
        grid, area = torch.cartesian_prod(axis, axis), torch.outer(width, width).flatten()
        total = (flow.log_prob(grid).exp() * area).sum()
    assert float(total) == pytest.approx(1, abs=5e-3)


def test_a_value_never_seen_is_rare_but_possible():
    """A normal would say -5e7 nats of 1e4 deviations, and no mean over rows would survive that."""
    flow = Flow([Tails(3.0)], (1,))
    said = flow.log_prob(torch.tensor([[1e4]]))
    assert said.isfinite()
    assert said > -100
    assert Flow([], (1,)).log_prob(torch.tensor([[1e4]])) < -4e7


def test_what_the_first_batch_says_is_where_normalisation_begins():
    layer = ActNorm(2, 3).train()
    x = 5 + 3 * torch.randn(50, *PLANES, generator=torch.Generator().manual_seed(0))
    z, log_det = layer(x)
    torch.testing.assert_close(z.mean((0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(z.std((0, 2, 3), correction=0), torch.ones(2))
    assert float(log_det[0].detach()) == pytest.approx(-64 * math.log(3), rel=0.02)
    layer(2 * x)
    torch.testing.assert_close(layer(x)[0], z)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_masked_network_knows_only_what_comes_before(backwards):
    """The causal mask of a density: with a leak, likelihoods would be of no distribution."""
    network = Masked(5, 3, 32, 2, backwards=backwards).eval()
    jacobian = torch.autograd.functional.jacobian(
        lambda row: network(row[None])[0].abs().sum(1), torch.randn(5)
    )
    before = torch.ones(5, 5).triu(1) if backwards else torch.ones(5, 5).tril(-1)
    assert ((jacobian != 0) <= before.bool()).all()
    assert (jacobian != 0).sum() == 10, "and all of it"


def test_one_feature_alone_gets_the_same_numbers():
    network = Masked(5, 3, 16, 2).eval()
    x = torch.randn(4, 5)
    for feature in range(5):
        torch.testing.assert_close(network.about(feature, x), network(x)[:, feature])
