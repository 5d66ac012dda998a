"""The convolution matrix: its product is the layer, its transpose the transposed convolution."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.ops.convolution import transposed_output_size
from gradatim.ops.convolution_matrix import convolution_matrix


def test_course_000_matrix_is_4_by_16():
    u = torch.tensor([[1.0, 4, 1], [1, 4, 3], [3, 3, 1]])
    first = [1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0, 0, 0, 0, 0]
    shifted = [[0] * s + first[: 16 - s] for s in (0, 1, 4, 5)]
    matrix = convolution_matrix(u[None, None], [4, 4])
    assert matrix.shape == (4, 16)
    assert matrix.tolist() == shifted
    x = torch.tensor([4.0, 5, 8, 7, 1, 8, 8, 8, 3, 6, 6, 4, 6, 5, 7, 8])
    assert (matrix @ x).tolist() == [122, 148, 126, 134]


def test_course_000_transposed_example_is_the_product_with_the_transpose():
    u = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    matrix = convolution_matrix(u[None, None], [3, 3])
    result = matrix.T @ torch.tensor([0.0, 1.0, 2.0, 3.0])
    assert result.view(3, 3).tolist() == [[0, 0, 1], [0, 4, 6], [4, 12, 9]]


def test_transpose_is_no_inverse():
    u = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    matrix = convolution_matrix(u[None, None], [3, 3])
    assert not torch.allclose(matrix @ matrix.T, torch.eye(4))


def test_is_doubly_block_toeplitz():
    """Constant along diagonals of blocks, and along diagonals in each block."""
    u = torch.rand(1, 1, 3, 2, generator=torch.Generator().manual_seed(0))
    blocks = convolution_matrix(u, [5, 6]).view(3, 5, 5, 6).transpose(1, 2)  # j, r, i, q
    torch.testing.assert_close(blocks[1:, 1:], blocks[:-1, :-1], rtol=0, atol=0)
    torch.testing.assert_close(blocks[:, :, 1:, 1:], blocks[:, :, :-1, :-1], rtol=0, atol=0)


pair = st.tuples
settings = {
    "size": pair(st.integers(1, 6), st.integers(1, 6)),
    "window": pair(st.integers(1, 3), st.integers(1, 3)),
    "stride": pair(st.integers(1, 3), st.integers(1, 3)),
    "padding": pair(st.integers(0, 2), st.integers(0, 2)),
    "dilation": pair(st.integers(1, 2), st.integers(1, 2)),
    "groups": st.integers(1, 2),
    "before": st.integers(1, 2),
    "after": st.integers(1, 2),
    "axes": st.integers(1, 2),
    "seed": st.integers(0, 99),
}


@given(**settings)
def test_product_equals_torch_and_transpose_equals_transposed_for_any_setting(
    size, window, stride, padding, dilation, groups, before, after, axes, seed
):
    size, window, stride, padding, dilation = (
        v[:axes] for v in (size, window, stride, padding, dilation)
    )
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, window, strict=True)]
    assume(all(s <= n + 2 * p for s, n, p in zip(spans, size, padding, strict=True)))
    chance = torch.Generator().manual_seed(seed)
    u = torch.randn(groups * after, before, *window, generator=chance, dtype=torch.float64)
    x = torch.randn(1, groups * before, *size, generator=chance, dtype=torch.float64)
    matrix = convolution_matrix(
        u, size, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    conv = (F.conv1d, F.conv2d)[axes - 1]
    y = conv(x, u, None, stride, padding, dilation, groups)
    torch.testing.assert_close(matrix @ x.flatten(), y.flatten())

    back = (F.conv_transpose1d, F.conv_transpose2d)[axes - 1]
    # Places at the end that no window reached: the size alone does not tell their number.
    settings_of = zip(y.shape[2:], window, stride, padding, dilation, strict=True)
    spare = [n - transposed_output_size(*s) for n, s in zip(size, settings_of, strict=True)]
    # torch takes no output padding as large as both stride and dilation; there can be none.
    theirs = back(y, u, None, stride, padding, spare, groups, dilation)
    torch.testing.assert_close(matrix.T @ y.flatten(), theirs.flatten())


def test_slopes_and_their_slopes():
    chance = torch.Generator().manual_seed(0)
    u = torch.randn(2, 1, 2, 2, generator=chance, dtype=torch.float64, requires_grad=True)

    def f(kernel):
        return convolution_matrix(kernel, [3, 4], stride=2, padding=1, groups=2)

    assert gradcheck(f, u)
    assert gradgradcheck(lambda kernel: f(kernel) ** 2, u)


def test_refuses_a_window_larger_than_the_map():
    with pytest.raises(ConfigError, match="spans 5 places"):
        convolution_matrix(torch.zeros(1, 1, 3), [4], dilation=2)
