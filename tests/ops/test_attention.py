"""Attention: the example of the slides, torch's own function, and rows that may see nothing."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from gradatim.ops.attention import (
    additive_scores,
    attention,
    attention_weights,
    causal_mask,
    scaled_dot_product_attention,
    scaled_dot_scores,
)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def coins(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.5


def test_course_000_softmax_of_14_and_12_is_088_012():
    """Scores 112 and 96, divided by sqrt(64)."""
    q = torch.zeros(1, 64).double()
    q[0, 0] = 1
    k = torch.zeros(2, 64).double()
    k[:, 0] = torch.tensor([112.0, 96.0])
    scores = scaled_dot_scores(q, k)
    assert scores.tolist() == [[14, 12]]
    assert [round(w, 2) for w in attention_weights(scores)[0].tolist()] == [0.88, 0.12]
    output, weights = attention(scores, torch.eye(2).double())
    assert torch.equal(output, weights)


def test_equals_torch():
    q, k, v = normal(2, 3, 4, 8), normal(2, 3, 5, 8, seed=1), normal(2, 3, 5, 6, seed=2)
    torch.testing.assert_close(
        scaled_dot_product_attention(q, k, v)[0], F.scaled_dot_product_attention(q, k, v)
    )
    mask = coins(4, 5) | torch.eye(4, 5, dtype=torch.bool)
    torch.testing.assert_close(
        scaled_dot_product_attention(q, k, v, mask)[0],
        F.scaled_dot_product_attention(q, k, v, attn_mask=mask),
    )


def test_causal_mask_equals_torch_and_hides_what_comes_later():
    q, k, v = normal(4, 8), normal(4, 8, seed=1), normal(4, 6, seed=2)
    ours = scaled_dot_product_attention(q, k, v, causal_mask(4))[0]
    theirs = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    torch.testing.assert_close(ours, theirs)
    k[3], v[3] = 100, 100
    changed = scaled_dot_product_attention(q, k, v, causal_mask(4))[0]
    assert torch.equal(changed[:3], ours[:3])
    assert not torch.equal(changed[3], ours[3])


def test_causal_mask_of_remembered_keys_is_the_end_of_the_whole_one():
    assert torch.equal(causal_mask(2, 5), causal_mask(5)[3:])


def test_additive_scores_by_loops():
    q, k = normal(2, 3), normal(4, 5, seed=1)
    W_q, W_k, v = normal(6, 3, seed=2), normal(6, 5, seed=3), normal(6, seed=4)
    ours = additive_scores(q, k, W_q, W_k, v)
    for i in range(2):
        for j in range(4):
            torch.testing.assert_close(ours[i, j], v @ torch.tanh(W_q @ q[i] + W_k @ k[j]))


@given(st.integers(0, 500))
def test_weights_sum_to_1_or_are_0_where_nothing_may_be_seen(seed):
    mask = coins(3, 4, 2, seed=seed)
    weights = attention_weights(normal(3, 4, 2, seed=seed), mask)
    assert (weights[~mask] == 0).all()
    torch.testing.assert_close(weights.sum(-1), mask.any(-1).double())


def test_a_query_that_may_see_nothing_gets_zeros_and_finite_slopes():
    q, k, v = (normal(1, 3, 4, seed=s).requires_grad_() for s in range(3))
    mask = torch.tensor([[True, False, True], [False] * 3, [True, True, True]])
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    assert (output[0, 1] == 0).all()
    assert (weights[0, 1] == 0).all()
    slopes = torch.autograd.grad(output.square().sum(), (q, k, v), create_graph=True)
    assert all(s.isfinite().all() for s in slopes)
    assert (slopes[0][0, 1] == 0).all()
    second = torch.autograd.grad(sum(s.square().sum() for s in slopes), (q, k, v))
    assert all(s.isfinite().all() for s in second)


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_no_nan_is_hidden_on_the_way_back():
    """Masking twice would do for the result; a NaN in between stops whoever looks for one."""
    q, mask = normal(2, 4).requires_grad_(), torch.zeros(2, 2, dtype=torch.bool)
    with torch.autograd.detect_anomaly():
        scaled_dot_product_attention(q, q, q, mask)[0].sum().backward()
    assert (q.grad == 0).all()


def test_the_plain_softmax_would_give_nan_there():
    """Why the guard is needed: without it a row of nothing is 0/0."""
    assert torch.full((2,), -torch.inf).softmax(-1).isnan().all()


@pytest.mark.parametrize("mask", [None, torch.tensor([[True, False, True], [False] * 3])])
def test_slopes_and_their_slopes(mask):
    q, k, v = normal(2, 4), normal(3, 4, seed=1), normal(3, 2, seed=2)
    inputs = tuple(t.requires_grad_() for t in (q, k, v))

    def f(*tensors):
        return scaled_dot_product_attention(*tensors, mask)

    assert gradcheck(f, inputs)
    assert gradgradcheck(f, inputs)
    weights = [normal(5, 4), normal(5, 4, seed=1), normal(5, seed=2)]
    inputs = (q, k, *[w.requires_grad_() for w in weights])
    assert gradcheck(additive_scores, inputs)
    assert gradgradcheck(additive_scores, inputs)
