"""Matching against every assignment there is, and its costs by hand."""

from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.ops.detection.matching import cheapest_pairs, matching_costs


@given(st.integers(1, 5), st.integers(0, 5), st.integers(0, 2**20))
def test_no_assignment_is_cheaper(guesses, truths, seed):
    costs = torch.randn(guesses, truths, generator=torch.Generator().manual_seed(seed))
    ours, theirs = cheapest_pairs(costs)
    assert len(ours) == len(set(ours.tolist())) == len(set(theirs.tolist()))
    assert len(ours) == min(guesses, truths)
    wide = costs if guesses >= truths else costs.T
    sums = [
        sum(wide[g, t].item() for t, g in enumerate(chosen))
        for chosen in permutations(range(len(wide)), wide.shape[1])
    ]
    assert costs[ours, theirs].sum().item() == pytest.approx(min(sums), abs=1e-5)


def test_a_network_that_diverged_is_no_error_here():
    """Its loss is not finite, and that is what the user is told."""
    ours, theirs = cheapest_pairs(torch.full((3, 2), torch.nan))
    assert len(ours) == len(theirs) == 2


def test_costs_by_hand():
    """Half of a box: middle off by 1/4, width by 1/2, giou 1/2; then the box itself."""
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0, 1.0]])
    guesses = torch.tensor([[0.0, 0.0, 0.5, 1.0], [0.0, 0.0, 1.0, 1.0]])
    chance = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
    costs = matching_costs(chance, guesses, whole)
    assert costs[:, 0].tolist() == pytest.approx([-0.1 + 5 * 0.75 + 2 * 0.5, -0.8])


def test_costs_have_no_slope():
    boxes = torch.rand(3, 4, requires_grad=True)
    truths = torch.tensor([[0.0, 0.0, 1.0, 1.0, 0.0]])
    assert not matching_costs(torch.rand(3, 2), boxes, truths).requires_grad
