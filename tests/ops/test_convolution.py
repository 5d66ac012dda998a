"""Convolution and cross-correlation: the numbers of the course, SciPy and torch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.ops.convolution import (
    convolve,
    cross_correlate,
    output_size,
    transposed_output_size,
)

COURSE_X = torch.tensor([[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]]).double()
COURSE_U = torch.tensor([[1, 4, 1], [1, 4, 3], [3, 3, 1]]).double()


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_course_000_example_122_148_126_134_is_the_cross_correlation():
    result = cross_correlate(COURSE_X[None, None], COURSE_U[None, None])[0, 0]
    assert result.tolist() == [[122, 148], [126, 134]]


def test_course_000_example_true_convolution_is_119_148_121_143():
    result = convolve(COURSE_X[None, None], COURSE_U[None, None])[0, 0]
    assert result.tolist() == [[119, 148], [121, 143]]
    assert result.tolist() == convolve2d(COURSE_X, COURSE_U, mode="valid").tolist()


def test_course_000_equation_18_by_loops():
    """o[c, j, i] = b[c] + sum over k < C_in, n < h, m < w, indices from 0."""
    f, u, b = normal(3, 5, 6), normal(2, 3, 3, 2, seed=1), normal(2, seed=2)
    ours = cross_correlate(f[None], u, b)[0]
    assert ours.shape == (2, 5 - 3 + 1, 6 - 2 + 1)
    for c, j, i in np.ndindex(*ours.shape):
        places = [(k, n, m) for k in range(3) for n in range(3) for m in range(2)]
        total = b[c] + sum(f[k, n + j, m + i] * u[c, k, n, m] for k, n, m in places)
        assert float(ours[c, j, i]) == pytest.approx(float(total), abs=1e-12)


def test_course_001_equation_5_2_1_is_convolve_of_equal_sizes():
    a, b = normal(4, 3), normal(4, 3, seed=1)
    total = sum(a[3 - i, 2 - j] * b[i, j] for i in range(4) for j in range(3))
    torch.testing.assert_close(convolve(a[None, None], b[None, None])[0, 0, 0, 0], total)


def test_one_axis_equals_numpy_and_scipy():
    x, u = normal(9), normal(4, seed=1)
    ours = convolve(x[None, None], u[None, None])[0, 0].numpy()
    np.testing.assert_allclose(ours, np.convolve(x, u, mode="valid"), atol=1e-12)
    ours = cross_correlate(x[None, None], u[None, None])[0, 0].numpy()
    np.testing.assert_allclose(ours, correlate(x, u, mode="valid"), atol=1e-12)


def test_convolution_commutes_where_cross_correlation_does_not():
    """With padding of k - 1 each is the full product; only the true one is symmetric."""
    x, u = normal(1, 1, 4), normal(1, 1, 3, seed=1)
    torch.testing.assert_close(convolve(x, u, padding=2), convolve(u, x, padding=3))
    ours = cross_correlate(x, u, padding=2)
    assert not torch.allclose(ours, cross_correlate(u, x, padding=3))


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_equals_torch_layer_with_each_padding_mode(mode):
    layer = torch.nn.Conv2d(4, 6, (3, 5), stride=(2, 1), padding=(1, 2), groups=2, dilation=(2, 1),
                            padding_mode=mode, dtype=torch.float64)  # fmt: skip
    x = normal(2, 4, 9, 8)
    ours = cross_correlate(
        x, layer.weight, layer.bias, stride=(2, 1), padding=(1, 2), strategy=mode,
        dilation=(2, 1), groups=2,
    )  # fmt: skip
    torch.testing.assert_close(ours, layer(x))


settings = {
    "n": st.integers(1, 40),
    "kernel": st.integers(1, 7),
    "stride": st.integers(1, 5),
    "padding": st.integers(0, 6),
    "dilation": st.integers(1, 4),
}


@given(**settings)
def test_output_size_equals_torch_for_any_setting(n, kernel, stride, padding, dilation):
    x, u = torch.zeros(1, 1, n), torch.zeros(1, 1, kernel)
    if dilation * (kernel - 1) + 1 > n + 2 * padding:
        with pytest.raises(ConfigError, match="spans"):
            output_size(n, kernel, stride, padding, dilation)
        with pytest.raises(ConfigError, match="spans"):
            cross_correlate(x, u, stride=stride, padding=padding, dilation=dilation)
    else:
        theirs = F.conv1d(x, u, None, stride, padding, dilation).shape[2]
        assert output_size(n, kernel, stride, padding, dilation) == theirs


@given(**settings)
def test_transposed_output_size_equals_torch_and_undoes_output_size(
    n, kernel, stride, padding, dilation
):
    size = transposed_output_size(n, kernel, stride, padding, dilation)
    if size < 1:
        return
    x, u = torch.zeros(1, 1, n), torch.zeros(1, 1, kernel)
    theirs = F.conv_transpose1d(x, u, None, stride, padding, dilation=dilation).shape[2]
    assert size == theirs
    assert output_size(size, kernel, stride, padding, dilation) == n


def test_course_001_equation_5_2_2_and_5_2_3_are_output_sizes():
    assert output_size(32, 5, padding=2) == 32 - 5 + 2 * 2 + 1
    assert output_size(7, 3, stride=2) == (7 - 3) // 2 + 1
    assert output_size(8, 3, stride=2) == 3  # 3.5 rounded down


def test_course_000_transposed_example_0_0_1_0_4_6_4_12_9():
    x = torch.tensor([[0.0, 1.0], [2.0, 3.0]])[None, None]
    result = F.conv_transpose2d(x, x)[0, 0]
    assert result.tolist() == [[0, 0, 1], [0, 4, 6], [4, 12, 9]]
    assert len(result) == transposed_output_size(2, kernel=2)


@pytest.mark.parametrize("function", [cross_correlate, convolve])
@pytest.mark.parametrize("strategy", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("axes", [1, 2])
def test_slopes_and_their_slopes(function, strategy, axes):
    x = normal(2, 2, *(5, 4)[:axes]).requires_grad_()
    u = normal(2, 1, *(3, 2)[:axes], seed=1).requires_grad_()
    b = normal(2, seed=2).requires_grad_()

    def f(*inputs):
        return function(*inputs, stride=2, padding=1, strategy=strategy, groups=2)

    assert gradcheck(f, (x, u, b))
    assert gradgradcheck(f, (x, u, b))
