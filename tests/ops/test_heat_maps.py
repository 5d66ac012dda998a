"""Heat maps against values by hand: where bells stand, how wide they are, who owns a place."""

from math import exp

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.ops.detection.heat_maps import LEAST, bells, heat_maps, middles, owners

NOTHING = [-1.0] * 5


def test_middles_are_half_a_place_from_the_border():
    at = middles(2, 4)
    assert at.shape == (2, 4, 2)
    assert at[0, 0].tolist() == [0.125, 0.25]
    assert at[1, 3].tolist() == [0.875, 0.75]


def test_a_bell_is_gaussian_with_a_share_of_the_box_along_each_axis():
    """A box of 8 x 4 places on a map of 16 x 16, spread 1/4: deviations of 2 and 1 places."""
    box = torch.tensor([[[0.25, 0.375, 0.75, 0.625, 0.0]]])
    bell = bells(box, 16, 16, spread=0.25)[0, 0]
    assert bell[8, 8] == 1
    assert bell[8, 10].item() == pytest.approx(exp(-1 / 2))
    assert bell[9, 8].item() == pytest.approx(exp(-1 / 2))
    assert bell[9, 10].item() == pytest.approx(exp(-1))
    assert bell[8, 15] == 0  # exp(-(7 / 2)^2 / 2) = 0.002 is below the least


def test_a_tiny_box_still_has_a_peak():
    box = torch.tensor([[[0.5, 0.5, 0.5001, 0.5001, 0.0]]])
    bell = bells(box, 4, 4)[0, 0]
    assert bell[2, 2] == 1
    assert bell[2, 3].item() == pytest.approx(exp(-9 / 2), abs=LEAST)


def test_a_box_at_the_border_peaks_at_the_last_place():
    box = torch.tensor([[[0.999, 0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0, 0.0]]])
    bell = bells(box, 4, 4)[0]
    assert bell[0, 2, 3] == 1
    assert bell[1, 3, 3] == 1


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**20))
def test_every_box_has_exactly_one_peak(height, width, seed):
    chance = torch.Generator().manual_seed(seed)
    corners = torch.rand(1, 6, 2, 2, generator=chance).sort(dim=2).values.flatten(2)
    boxes = torch.cat([corners, torch.zeros(1, 6, 1)], 2)
    assert (bells(boxes, height, width) == 1).sum((2, 3)).tolist() == [[1] * 6]


def test_what_is_no_box_has_no_bell():
    assert bells(torch.tensor([[NOTHING]]), 3, 3).abs().sum() == 0


def test_heat_is_the_highest_bell_of_the_class():
    boxes = torch.tensor(
        [
            [
                [0.0, 0.0, 0.5, 1.0, 0.0],
                [0.25, 0.0, 0.75, 1.0, 0.0],
                [0.5, 0.0, 1.0, 1.0, 1.0],
                NOTHING,
            ]
        ]
    )
    bell = bells(boxes, 8, 8, spread=0.5)
    heat = heat_maps(bell, boxes, 3)
    torch.testing.assert_close(heat[0, 0], torch.maximum(bell[0, 0], bell[0, 1]))
    torch.testing.assert_close(heat[0, 1], bell[0, 2])
    assert heat[0, 2].abs().sum() == 0


def test_a_place_belongs_to_the_smallest_box_and_a_box_counts_one():
    large, small = [0.0, 0.0, 1.0, 1.0, 0.0], [0.4, 0.4, 0.6, 0.6, 0.0]
    boxes = torch.tensor([[large, small, NOTHING]])
    bell = bells(boxes, 9, 9, spread=0.3)
    owner, weight = owners(bell, boxes)
    assert owner[0, 4, 4] == 1
    assert owner[0, 0, 0] == 0
    for box in (0, 1):
        assert weight[0][owner[0] == box].sum().item() == pytest.approx(1.0)
    assert (weight[0][owner[0] == 2] == 0).all()


def test_where_no_bell_is_nothing_counts():
    boxes = torch.tensor([[[0.0, 0.0, 0.1, 0.1, 0.0]], [NOTHING]])
    _, weight = owners(bells(boxes, 10, 10), boxes)
    assert weight[0, 5:, 5:].abs().sum() == 0
    assert weight[1].abs().sum() == 0
