"""Muon's orthogonal steps, against torch's; and evolution, which sees no gradient."""

import pytest
import torch
from torch import nn

from gradatim.core.errors import ConfigError, NumericError
from gradatim.core.learner import Learner
from gradatim.core.recipe import OptimizerChoice
from gradatim.optim import OPTIMIZERS
from gradatim.optim.evolution import ranks
from gradatim.optim.muon import orthogonal


@pytest.mark.parametrize("shape", [(8, 20), (20, 8), (12, 12)])
def test_newton_schulz_makes_singular_values_alike(shape):
    """A matrix whose singular values are 1 to 20: after five steps all are near 1."""
    chance = torch.Generator().manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(shape, generator=chance), full_matrices=False)
    matrix = u @ torch.diag(torch.linspace(1, 20, min(shape))) @ v
    made = orthogonal(matrix)
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.6
    assert values.max() < 1.25
    # The singular vectors stay: U' O V is diagonal.
    inner = u.T @ made @ v.T
    torch.testing.assert_close(inner, torch.diag(inner.diagonal()), rtol=0, atol=1e-4)


def test_muon_is_torchs():
    """Torch computes in bfloat16 (8 bits), we in float32: a step may differ by some percent."""
    torch.manual_seed(0)
    start = torch.randn(6, 10)
    gradients = [torch.randn(6, 10) for _ in range(5)]
    mine, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    choice = OptimizerChoice(name="muon", weight_decay=0.3, momentum=0.95)
    ours = OPTIMIZERS["muon"]([mine], choice)
    peer = torch.optim.Muon(
        [theirs], lr=0.02, weight_decay=0.3, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    for gradient in gradients:
        mine.grad, theirs.grad = gradient.clone(), gradient.clone()
        ours.update(0.02, lambda: torch.zeros(()))
        peer.step()
    moved = (theirs - start).norm()
    assert (mine - theirs).norm() < 0.02 * moved


def test_muon_takes_kernels_as_matrices_and_leaves_vectors_to_adamw():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(16, 3))
    choice = OptimizerChoice(name="muon", weight_decay=0.0)
    ours = OPTIMIZERS["muon"](list(net.parameters()), choice)
    before = [p.detach().clone() for p in net.parameters()]
    net(torch.randn(5, 2, 4, 4)).square().mean().backward()
    ours.update(0.01, lambda: torch.zeros(()))
    kernel, bias = (b - p.detach() for b, p in zip(before, net[0].parameters(), strict=False))
    values = torch.linalg.svdvals(kernel.flatten(1) / (0.01 * 0.2 * 18**0.5))
    assert values.min() > 0.6
    assert values.max() < 1.25
    # The first step of adam is the rate, whatever the gradient.
    torch.testing.assert_close(bias.abs(), torch.full((4,), 0.01), rtol=1e-3, atol=0)


def test_ranks_run_evenly_and_share_their_places():
    losses = torch.tensor([5.0, float("nan"), 1.0, 5.0, float("inf")], dtype=torch.float64)
    # Places 0, (1 2), (3 4): over 4, less 1/2.
    expected = [-0.125, 0.375, -0.5, -0.125, 0.375]
    assert ranks(losses).tolist() == pytest.approx(expected)


def evolving(module: nn.Module, rate: float, **numbers) -> Learner:
    choice = OptimizerChoice.parse({"name": "evolution", **numbers})
    optimizer = OPTIMIZERS["evolution"](list(module.parameters()), choice)
    return Learner(module, {"model": optimizer}, lambda step: rate)


def test_evolution_descends_a_quadratic_without_a_gradient():
    torch.manual_seed(0)
    layer = nn.Linear(5, 1, bias=False)
    walker = evolving(layer, 0.05, population=32, sigma=0.1)

    def loss():
        return layer.weight.detach().sub(3).square().sum()  # nothing to differentiate

    first, _ = walker.descend(loss)
    for _ in range(200):
        last, norm = walker.descend(loss)
    assert norm == 0
    assert last < 0.01 * first
    assert walker.optimizers["model"].evaluations == pytest.approx(32 / 3 - 2 / 3)


def test_a_flat_loss_pulls_nowhere():
    layer = nn.Linear(5, 1)
    before = layer.weight.detach().clone()
    evolving(layer, 1.0).descend(lambda: torch.ones(()))
    assert torch.equal(layer.weight, before)


def test_no_finite_loss_around_moves_nothing():
    layer = nn.Linear(3, 1, bias=False)
    before = layer.weight.detach().clone()

    def loss():
        return torch.ones(()) if torch.equal(layer.weight, before) else torch.tensor(torch.nan)

    with pytest.raises(NumericError, match="finite loss"):
        evolving(layer, 0.1).descend(loss)
    assert torch.equal(layer.weight, before)


def test_networks_come_in_pairs():
    with pytest.raises(ConfigError, match="even number"):
        evolving(nn.Linear(2, 1), 0.1, population=7)


def test_dropout_is_the_same_in_every_look():
    """Else the ranks would say who was lucky."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 50), nn.Dropout(0.5), nn.Linear(50, 1))
    masks = []
    net[1].register_forward_hook(lambda module, given, got: masks.append((got == 0).clone()))
    evolving(net, 0.0, population=4, sigma=1e-9).descend(lambda: net(torch.ones(1, 4)).sum())
    assert len(masks) == 5
    assert all(torch.equal(mask, masks[0]) for mask in masks)
