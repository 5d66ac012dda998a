"""The course's pooling formulas are torch's layers, with the stride the course leaves out."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn


def maps(channels: int, height: int, width: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randn(channels, height, width, generator=chance, dtype=torch.float64)


def by_formula(x, h, w, reduce):
    """o[c, j, i] = reduce over n < h, m < w of x[c, h j + n, w i + m]."""
    c, rows, columns = x.shape
    out = torch.empty(c, rows // h, columns // w, dtype=x.dtype)
    for j in range(rows // h):
        for i in range(columns // w):
            out[:, j, i] = reduce(x[:, h * j : h * j + h, w * i : w * i + w].flatten(1))
    return out


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_course_000_max_pooling_has_the_window_as_stride(h, w, r, s):
    x = maps(2, h * r, w * s)
    ours = by_formula(x, h, w, lambda v: v.amax(1))
    torch.testing.assert_close(nn.MaxPool2d((h, w))(x), ours, rtol=0, atol=0)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_course_000_average_pooling_has_the_window_as_stride(h, w, r, s):
    x = maps(2, h * r, w * s)
    torch.testing.assert_close(nn.AvgPool2d((h, w))(x), by_formula(x, h, w, lambda v: v.mean(1)))


def test_course_000_pooling_as_printed_without_stride_has_another_shape():
    """x[c, j + n, i + m] would be a window that moves by one: no r x s map."""
    x = maps(1, 4, 4)
    assert nn.MaxPool2d(2)(x).shape == (1, 2, 2)
    assert nn.MaxPool2d(2, stride=1)(x).shape == (1, 3, 3)


def test_course_001_pooling_tolerates_small_shifts_but_is_not_invariant():
    """A spot that moves within its window changes nothing, one that leaves it does."""
    spot = torch.zeros(3, 1, 1, 4)
    spot[[0, 1, 2], 0, 0, [0, 1, 2]] = 1
    at0, at1, at2 = nn.MaxPool2d((1, 2))(spot)
    assert torch.equal(at0, at1)
    assert not torch.equal(at1, at2)
