"""Polygons and runs against closed forms, scikit-image and COCO's own reader."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from gradatim.data.masks.runs import (
    mask_of,
    packed_runs,
    polygon_mask,
    runs_mask,
    unpacked_runs,
)

masks = st_numpy.arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@settings(deadline=None)
@given(masks)
def test_unpacking_gives_what_was_packed(mask):
    np.testing.assert_array_equal(runs_mask(unpacked_runs(packed_runs(mask)), *mask.shape), mask)


@settings(deadline=None)
@given(masks)
def test_runs_are_those_of_coco(mask):
    """The strings are compared, and read by the peer, byte by byte."""
    peer = pytest.importorskip("faster_coco_eval.core.mask")
    packed = peer.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    assert packed_runs(mask) == (packed.decode() if isinstance(packed, bytes) else packed)


def test_long_runs_take_several_characters():
    """1000 = 0b11111_01000: the low five bits first, 32 says that more follow."""
    mask = (np.arange(2000) >= 1000).reshape(50, 40).T
    assert unpacked_runs(packed_runs(mask)) == [1000, 1000]
    assert packed_runs(mask)[:2] == chr(48 + 32 + 8) + chr(48 + 32 + 31)


@pytest.mark.parametrize(
    "points",
    [
        [[2, 1], [9, 1], [9, 6], [2, 6]],
        [[0.3, 0.2], [11.7, 3.4], [4.1, 9.9]],
        [[1, 1], [10, 9], [10, 1], [1, 9]],  # crosses itself
        [[-5, -5], [30, 4], [-5, 12]],  # reaches out
    ],
)
def test_polygons_are_those_of_a_rule_of_middles(points):
    """Against matplotlib's test of points, where no middle lies on an edge."""
    from matplotlib.path import Path

    points = np.array(points, float) + np.array([0.013, 0.007])
    y, x = np.mgrid[0:10, 0:12] + 0.5
    inside = Path(np.vstack([points, points[:1]])).contains_points(np.c_[x.ravel(), y.ravel()])
    np.testing.assert_array_equal(polygon_mask(points, 10, 12), inside.reshape(10, 12))


def test_a_polygon_covers_what_coco_draws():
    """The peer draws the border finer: at most a rim of one pixel differs."""
    peer = pytest.importorskip("faster_coco_eval.core.mask")
    angles = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    points = np.c_[40 + 25.3 * np.cos(angles), 35 + 20.7 * np.sin(angles)]
    drawn = peer.decode(peer.merge(peer.frPyObjects([points.ravel().tolist()], 70, 80))).astype(
        bool
    )
    made = polygon_mask(points, 70, 80)
    assert (drawn & made).sum() / (drawn | made).sum() > 0.96
    assert made.sum() == pytest.approx(np.pi * 25.3 * 20.7, rel=0.02)


@settings(deadline=None)
@given(st.integers(0, 2**31))
def test_neighbours_that_share_an_edge_share_no_pixel(seed):
    """A square cut in two at any line: each pixel is in one half."""
    random = np.random.default_rng(seed)
    top, bottom = random.integers(0, 13, 2) / 2
    left = np.array([[0, 0], [top, 0], [bottom, 6], [0, 6]])
    right = np.array([[top, 0], [6, 0], [6, 6], [bottom, 6]])
    both = polygon_mask(left, 6, 6).astype(int) + polygon_mask(right, 6, 6)
    np.testing.assert_array_equal(both, 1)


@pytest.mark.parametrize(
    ("outline", "words"),
    [
        ({"size": [3, 2], "counts": [6]}, "for a size of"),
        ({"size": [2, 3], "counts": [5]}, "cover 5 of 6"),
        ({"size": [2, 3], "counts": [7, -1]}, "whole numbers"),
        ({"size": [2, 3], "counts": [6.0]}, "whole numbers"),
        ({"size": [2, 3], "counts": [2**63, 2**63]}, "cover|whole numbers"),
        ({"size": [2, 3]}, "whole numbers"),
        ({"size": [2, 3], "counts": "6\n"}, "character"),
        ({"size": [2, 3], "counts": "V"}, "end inside"),
        ({"size": [2, 3], "counts": "o" * 99}, "character"),
        ([], "no outline"),
        (None, "no outline"),
        ([[1, 2, 3]], "pairs of numbers"),
        ([["a", "b"]], "pairs of numbers"),
        ([[1, 2, 3, 4]], "fewer than 3"),
        ([[1, 2, 3, 4, float("nan"), 6]], "not finite"),
    ],
)
def test_what_is_no_outline_says_why(outline, words):
    with pytest.raises(ValueError, match=words):
        mask_of(outline, 2, 3)


def test_polygons_of_an_object_are_joined():
    whole = mask_of([[0, 0, 2, 0, 2, 2, 0, 2], [1, 0, 3, 0, 3, 1, 1, 1]], 2, 4)
    assert whole.astype(int).tolist() == [[1, 1, 1, 0], [1, 1, 0, 0]]
