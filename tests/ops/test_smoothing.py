"""Smoothing against numbers worked out by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.ops.text.smoothing import discount, kneser_ney, witten_bell

COUNTS = st.lists(st.lists(st.integers(0, 50), min_size=4, max_size=4), min_size=1, max_size=5).map(
    lambda rows: torch.tensor(rows, dtype=torch.float64)
)


def uniform(counts: torch.Tensor) -> torch.Tensor:
    return torch.full_like(counts, 1 / counts.shape[1])


def test_witten_bell_by_hand():
    """After "th": e five times, a twice, i once; 3 kinds of 8, and below them 1/4 each.

    p(e) = (5 + 3/4) / 11, p(a) = (2 + 3/4) / 11, p(i) = (1 + 3/4) / 11, p(o) = (3/4) / 11.
    """
    counts = torch.tensor([[5.0, 2.0, 1.0, 0.0]], dtype=torch.float64)
    expected = torch.tensor([[23, 11, 7, 3]], dtype=torch.float64) / 44
    torch.testing.assert_close(witten_bell(counts, uniform(counts)), expected)


def test_kneser_ney_by_hand():
    """The same with D = 1/2: p(e) = (4.5 + 1.5/4) / 8 and so on; 1.5 / 8 is shared evenly."""
    counts = torch.tensor([[5.0, 2.0, 1.0, 0.0]], dtype=torch.float64)
    expected = torch.tensor([[4.875, 1.875, 0.875, 0.375]], dtype=torch.float64) / 8
    torch.testing.assert_close(kneser_ney(counts, uniform(counts), 0.5), expected)


@given(COUNTS, st.floats(0.01, 0.99))
def test_probabilities_sum_to_one_and_none_is_negative(counts, less):
    for said in (witten_bell(counts, uniform(counts)), kneser_ney(counts, uniform(counts), less)):
        torch.testing.assert_close(said.sum(1), torch.ones(len(counts), dtype=torch.float64))
        assert (said > 0).all()


def test_a_context_that_was_never_seen_says_what_the_shorter_one_says():
    lower = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64)
    never = torch.zeros_like(lower)
    torch.testing.assert_close(witten_bell(never, lower), lower)
    torch.testing.assert_close(kneser_ney(never, lower, 0.75), lower)


@pytest.mark.parametrize(
    ("counts", "expected"), [([1, 1, 1, 2, 5], 3 / 5), ([1, 1], 0.5), ([2, 3], 0.5), ([], 0.5)]
)
def test_discount_is_of_the_counts_of_counts(counts, expected):
    assert discount(torch.tensor(counts, dtype=torch.int64)) == pytest.approx(expected)
