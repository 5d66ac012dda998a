"""Candidates of boxes: moves there and back, the nearest box, and which candidates stay."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.layers.detection.candidate_boxes import (
    Candidates,
    best_partners,
    moved,
    moves_between,
)

SHARE = st.floats(0, 1)


@given(st.lists(SHARE, min_size=8, max_size=8))
def test_moves_lead_where_they_should(numbers):
    """Sides between 1 and 2: every move is within its limits, half a side and a factor e."""
    left, top, wide, high, right, down, other, tall = numbers
    ours = torch.tensor([[left, top, left + 1 + wide, top + 1 + high]], dtype=torch.float64)
    centre = (ours[:, :2] + ours[:, 2:]) / 2 + torch.tensor([[right - 0.5, down - 0.5]])
    half = torch.tensor([[1 + other, 1 + tall]]).double() / 2
    theirs = torch.cat([centre - half, centre + half], dim=1)
    torch.testing.assert_close(moved(ours, moves_between(ours, theirs)), theirs, atol=1e-9, rtol=0)


def test_moves_are_limited():
    box = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    far = moved(box, torch.tensor([[9.0, 0.0, 9.0, -9.0]]))
    wide, high = (far[0, 2] - far[0, 0]).item(), (far[0, 3] - far[0, 1]).item()
    assert (round(wide, 4), round(high, 4)) == (2.7183, 0.3679)
    assert round((far[0, 0] + far[0, 2]).item() / 2, 4) == 1.0


def test_each_box_gets_the_one_that_it_overlaps_most():
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]]).double()
    there = torch.tensor([[0.0, 0.0, 0.5, 0.25, 2.0], [0.0, 0.0, 0.5, 0.375, 1.0], [-1.0] * 5])
    best, partner = best_partners(boxes, there)
    assert best.tolist() == [0.75, 0.0]
    assert partner[0, 4] == 1
    nothing, none = best_partners(boxes, there[2:])
    assert nothing.tolist() == [0, 0]
    assert (none == -1).all()


def test_of_overlapping_candidates_the_surest_stays():
    box, other = [0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.4375]
    found = torch.tensor([[[*box, 0.5, 0.0], [*other, 0.75, 0.0], [*box, 0.25, 1.0], [-1.0] * 6]])
    kept = Candidates(2, most=3, overlap=0.5)(found.double())[0]
    expected = [[*other, 0.75, 0.0], [*box, 0.25, 1.0], [-1.0] * 6]
    assert kept.tolist() == expected
