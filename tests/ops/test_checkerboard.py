"""Uneven coverage: a kernel of 3 with a stride of 2 draws a checkerboard."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.ops.checkerboard import coverage, unevenness


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 8))
def test_coverage_counts_the_inputs_that_reach_each_output(kernel, stride, length):
    out = (length - 1) * stride + kernel
    reached = [sum(o - s * stride in range(kernel) for s in range(length)) for o in range(out)]
    assert coverage(kernel, stride, length).tolist() == reached


@given(st.integers(1, 9), st.integers(1, 5))
def test_uneven_exactly_where_the_stride_does_not_divide_the_kernel(kernel, stride):
    assert (unevenness(kernel, stride) > 0) == (kernel % stride != 0)


def test_unevenness_is_the_variance_over_one_period():
    """Kernel 3, stride 2: counts 1 and 2. Kernel 4, stride 3: counts 2, 1, 1. Kernel 1: 1, 0."""
    expected = [0.25, 2 / 9, 0.25]
    values = [unevenness(3, 2), unevenness(4, 3), unevenness(1, 2)]
    torch.testing.assert_close(values, expected, atol=1e-6, rtol=0)  # float32


def test_two_axes_multiply_kernel_3_stride_2():
    ones = torch.ones(1, 1, 5, 5)
    counts = torch.conv_transpose2d(ones, torch.ones(1, 1, 3, 3), None, 2)[0, 0]
    line = coverage(3, 2, 5)
    assert torch.equal(counts, torch.outer(line, line))
    assert counts[2:6, 2:6].tolist() == [[4, 2, 4, 2], [2, 1, 2, 1], [4, 2, 4, 2], [2, 1, 2, 1]]
