"""Otsu's thresholds against scikit-image's and against trying all of them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.filters import threshold_multiotsu

from gradatim.ops.segmentation.otsu import otsu


def within(counts: np.ndarray, cuts: tuple[int, ...] | np.ndarray) -> float:
    """The variance within the parts, times the number of pixels."""
    levels, total = np.arange(len(counts)), 0.0
    part = np.searchsorted(np.asarray(cuts), levels)
    for k in np.unique(part):
        n, v = counts[part == k], levels[part == k]
        if n.sum():
            total += (n * (v - (n * v).sum() / n.sum()) ** 2).sum()
    return total


def histogram(seed: int, levels: int = 256) -> np.ndarray:
    """Three humps and a floor, so that no level is empty and no two cuts are equal."""
    v, chance = np.arange(levels), np.random.default_rng(seed)
    humps = [chance.uniform(0, levels) for _ in range(3)]
    return sum(1000 * np.exp(-(((v - at) / 15) ** 2)) for at in humps) + chance.uniform(
        1, 5, levels
    )


@pytest.mark.parametrize("parts", [2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_thresholds_are_scikit_images(parts, seed):
    """It sums in float32: where two cuts are nearly as good, it may take the other one."""
    counts = histogram(seed).round()
    peer = threshold_multiotsu(hist=(counts, np.arange(256.0)), classes=parts)
    said = otsu(counts, parts)
    np.testing.assert_allclose(said, peer, atol=1)
    assert within(counts, said) <= within(counts, peer)


@given(st.lists(st.integers(0, 20), min_size=6, max_size=9), st.integers(2, 4))
def test_no_other_cuts_are_better(counts, parts):
    levels = np.array(counts)
    best = min(within(levels, cuts) for cuts in combinations(range(len(counts)), parts - 1))
    assert within(levels, otsu(levels, parts)) == pytest.approx(best, abs=1e-9)


def test_with_fewer_levels_than_parts_the_thresholds_still_ascend():
    cuts = otsu(np.array([0, 7, 0, 0]), parts=4)
    assert len(cuts) == 3
    assert (np.diff(cuts) >= 0).all()
