"""Losses of detection against values by hand, other formulas and finite differences."""

from math import log, sqrt

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional as F

from gradatim.ops.detection.losses import (
    apart,
    centre_ness,
    penalty_reduced_focal,
    sigmoid_focal,
    unfocused,
)


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=chance, dtype=torch.float64)


def test_penalty_reduced_focal_by_hand():
    """p = 3/4: at a middle (1/4)^2 log 4/3; at y = 0.2 it is 0.8^4 (3/4)^2 log 4."""
    z = torch.tensor([log(3.0), log(3.0)], dtype=torch.float64)
    said = penalty_reduced_focal(z, torch.tensor([1.0, 0.2], dtype=torch.float64))
    assert said.tolist() == pytest.approx([log(4 / 3) / 16, 0.8**4 * 9 / 16 * log(4)])


def test_without_bells_it_is_a_focal_loss_with_equal_weights():
    z, truth = 3 * numbers(50), (numbers(50, seed=1) > 0).double()
    twice = 2 * sigmoid_focal(z, truth, alpha=0.5, gamma=2.0)
    torch.testing.assert_close(penalty_reduced_focal(z, truth), twice)


def test_sigmoid_focal_by_hand():
    """p = 3/4, the paper's 0.25 and 2: 0.25 (1/4)^2 log 4/3 where it is, 0.75 (3/4)^2 log 4."""
    z = torch.tensor([log(3.0), log(3.0)], dtype=torch.float64)
    said = sigmoid_focal(z, torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert said.tolist() == pytest.approx([0.25 / 16 * log(4 / 3), 0.75 * 9 / 16 * log(4)])


def test_sigmoid_focal_without_focus_is_cross_entropy():
    z, truth = 5 * numbers(40), (numbers(40, seed=1) > 0).double()
    expected = F.binary_cross_entropy_with_logits(z, truth, reduction="none") / 2
    torch.testing.assert_close(sigmoid_focal(z, truth, alpha=0.5, gamma=0.0), expected)


@pytest.mark.parametrize("share", [0.01, 0.16, 0.5, 0.7, 0.99])
def test_the_bias_of_a_focal_loss_is_undone(share):
    """The probability that costs least when a share of truths is 1, found by trying them all."""
    p = torch.linspace(1e-4, 1 - 1e-4, 200_001, dtype=torch.float64)
    one, none = torch.ones_like(p), torch.zeros_like(p)
    z = p.logit()
    costs = share * penalty_reduced_focal(z, one) + (1 - share) * penalty_reduced_focal(z, none)
    least = p[costs.argmin()]
    assert unfocused(least).item() == pytest.approx(share, abs=2e-4)
    assert (unfocused(p).diff() > 0).all()


def test_what_is_certain_stays_a_probability():
    assert unfocused(torch.tensor([0.0, 1.0])).tolist() == pytest.approx([0, 1], abs=1e-5)


@pytest.mark.parametrize("loss", [penalty_reduced_focal, sigmoid_focal])
def test_far_scores_keep_losses_and_slopes_finite(loss):
    z = torch.tensor([-500.0, 500.0, -500.0, 500.0], requires_grad=True)
    losses = loss(z, torch.tensor([1.0, 1.0, 0.0, 0.0]))
    losses.sum().backward()
    assert losses.isfinite().all()
    assert z.grad.isfinite().all()
    assert losses[0] > 100
    assert losses[1] == 0


def test_apart_by_hand():
    """Unit squares a side apart: no intersection, union 2, hull 3: giou = -1/3."""
    one = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    other = torch.tensor([[2.0, 0.0, 3.0, 1.0]])
    assert apart(one, other).item() == pytest.approx(4 / 3)
    assert apart(one, one).item() == 0


def test_centre_ness_by_hand():
    """sqrt(1/3 * 2/8) for l, r = 1, 3 and t, b = 8, 2; outside and at the border 0."""
    there = torch.tensor([[1.0, 8.0, 3.0, 2.0], [-1.0, 1.0, 3.0, 1.0], [0.0, 1.0, 3.0, 1.0]])
    assert centre_ness(there).tolist() == pytest.approx([sqrt(1 / 12), 0, 0])
    assert centre_ness(torch.zeros(1, 4)).item() == 0


def test_slopes():
    """Against finite differences, away from the corners of minimum and maximum."""
    z = (2 * numbers(12)).requires_grad_()
    heat = numbers(12, seed=1).sigmoid()
    heat[:3] = 1
    assert gradcheck(lambda z: penalty_reduced_focal(z, heat), (z,))
    assert gradcheck(lambda z: sigmoid_focal(z, (heat == 1).double()), (z,))
    first = numbers(6, 2, seed=2)
    ours = torch.cat([first, first + 1 + numbers(6, 2, seed=3).abs()], 1).requires_grad_()
    theirs = torch.tensor([[-0.2, -0.1, 1.3, 1.1]], dtype=torch.float64).expand(6, 4)
    assert gradcheck(lambda b: apart(b, theirs), (ours,))
    away = numbers(6, 4, seed=4).exp().requires_grad_()
    assert gradcheck(centre_ness, (away,))
