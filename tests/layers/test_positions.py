"""Positions: equation (20) by hand, and what rotations keep."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.core.errors import ConfigError
from gradatim.layers.positions import (
    LearnedPositions,
    SinusoidalPositions,
    rotate,
    sinusoidal,
)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_course_000_equation_20_by_hand():
    """d = 4: w_0 = 1 and w_1 = 10000^(-2/4) = 1/100."""
    p = sinusoidal(4, 4)
    assert p[0].tolist() == [0, 1, 0, 1]
    by_hand = [0.14112001, -0.98999250, 0.02999550, 0.99955003]  # sin 3, cos 3, sin .03, cos .03
    assert p[3].tolist() == pytest.approx(by_hand, abs=1e-7)


def test_course_000_equation_20_counts_k_from_0():
    """The fastest wave is sin t. With k from 1 and d = 20 it would be sin(t / 2.5)."""
    p = sinusoidal(50, 20).double()
    t = torch.arange(50).double()
    torch.testing.assert_close(p[:, 0], t.sin(), atol=1e-7, rtol=0)
    for k in range(10):
        w = 10000 ** (-2 * k / 20)
        torch.testing.assert_close(p[:, 2 * k + 1], (w * t).cos(), atol=1e-7, rtol=0)


@given(st.integers(0, 5000), st.integers(0, 50))
def test_a_shift_is_a_rotation_that_does_not_depend_on_the_place(start, shift):
    """The reason the paper gives for the waves."""
    p = sinusoidal(start + shift + 1, 8).double()
    pairs = p.view(-1, 4, 2).flip(2).flatten(1)  # (cos, sin): the point at the angle w_k t
    moved = rotate(pairs[start : start + 1], torch.tensor([shift]))[0]
    # Eight numbers rounded to float32 before they are turned.
    torch.testing.assert_close(moved, pairs[start + shift], atol=3e-7, rtol=0)


def test_late_tokens_keep_their_digits():
    """In float32 the angle of token 100,000 is off by up to 0.004."""
    p = sinusoidal(100_001, 4)
    assert float(p[-1, 0]) == pytest.approx(math.sin(100_000), abs=1e-7)


def test_layer_adds_them_in_the_type_of_the_tokens():
    x = normal(2, 5, 6).to(torch.bfloat16)
    y = SinusoidalPositions()(x)
    assert y.dtype == torch.bfloat16
    assert torch.equal(y, x + sinusoidal(5, 6).to(torch.bfloat16))
    assert not SinusoidalPositions().state_dict()


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 3000))
def test_rotary_dot_products_depend_on_the_offset_only(s, t, shift):
    q, k = normal(1, 8), normal(1, 8, seed=1)

    def score(i: int, j: int) -> torch.Tensor:
        return rotate(q, torch.tensor([i])) @ rotate(k, torch.tensor([j])).T

    torch.testing.assert_close(score(s, t), score(s + shift, t + shift), atol=1e-9, rtol=0)


def test_rotary_dot_products_do_depend_on_the_offset():
    q = normal(1, 8)
    near, far = (rotate(q) @ rotate(q, torch.tensor([n])).T for n in (0, 3))
    assert float(near - far) > 0.1


def test_rotary_keeps_lengths_and_begins_with_place_0():
    x = normal(2, 3, 5, 8)
    y = rotate(x)
    torch.testing.assert_close(y.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(y[..., 0, :], x[..., 0, :])
    torch.testing.assert_close(rotate(x, torch.arange(5)), y)


def test_rotary_is_multiplication_of_complex_numbers():
    x = normal(6, 8)
    w = 10000.0 ** (-torch.arange(4).double() / 4)
    turns = torch.polar(torch.ones(6, 4).double(), torch.arange(6)[:, None] * w)
    theirs = torch.view_as_real(torch.view_as_complex(x.view(6, 4, 2)) * turns).flatten(1)
    torch.testing.assert_close(rotate(x), theirs)


def test_learned_positions_are_added_and_refuse_longer_sequences():
    layer, x = LearnedPositions(4, 6), normal(2, 3, 6).float()
    torch.testing.assert_close(layer(x), x + layer.positions[:3])
    with pytest.raises(ConfigError, match="5 tokens came, and 4 places"):
        layer(torch.zeros(1, 5, 6))


def test_odd_dimensions_are_refused():
    with pytest.raises(ConfigError, match="even dimension, got 5"):
        sinusoidal(3, 5)
    with pytest.raises(ConfigError, match="even dimension, got 5"):
        rotate(torch.zeros(3, 5))


def test_slopes_and_their_slopes(smooth):
    x = normal(2, 3, 4)
    smooth(LearnedPositions(4, 4), x)
    smooth(SinusoidalPositions(), x)
    leaf = x.clone().requires_grad_()
    assert torch.autograd.gradcheck(rotate, leaf)
    assert torch.autograd.gradgradcheck(rotate, leaf)
