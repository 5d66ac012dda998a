"""Layers of attention, against torch's and by their formulas."""

import pytest
import torch
from torch import nn

from gradatim.core.errors import ConfigError
from gradatim.layers.attention import AdditiveAttention, MultiHeadAttention
from gradatim.ops.attention import causal_mask


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def copied(dim: int, heads: int) -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    """Both layers with the same weights, biases other than 0."""
    torch.manual_seed(0)
    ours, theirs = MultiHeadAttention(dim, heads), nn.MultiheadAttention(dim, heads)
    for p in theirs.parameters():
        nn.init.normal_(p)
    parts = zip((ours.query, ours.key, ours.value), range(3), strict=True)
    for layer, i in parts:
        layer.weight.data.copy_(theirs.in_proj_weight[i * dim : (i + 1) * dim])
        layer.bias.data.copy_(theirs.in_proj_bias[i * dim : (i + 1) * dim])
    ours.output.load_state_dict(theirs.out_proj.state_dict())
    theirs.batch_first = True
    return ours.double(), theirs.double()


MASKS = {
    "none": (None, {}),
    "causal": (causal_mask(5), {"attn_mask": ~causal_mask(5)}),
    "lengths": (
        torch.tensor([5, 2, 3])[:, None, None, None] > torch.arange(5),
        {"key_padding_mask": torch.tensor([5, 2, 3])[:, None] <= torch.arange(5)},
    ),
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_equals_torch_with_copied_weights(name, heads):
    mask, their_mask = MASKS[name]
    ours, theirs = copied(8, heads)
    q, k, v = normal(3, 5, 8), normal(3, 5, 8, seed=1), normal(3, 5, 8, seed=2)
    output, weights = ours(q, k, v, mask)
    expected, their_weights = theirs(q, k, v, average_attn_weights=False, **their_mask)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(weights, their_weights)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", [*MASKS, "nothing"])
def test_fused_kernel_returns_the_same_and_the_same_slopes(name, dtype):
    nothing = torch.tensor([True, False, True])[:, None, None, None].expand(3, 1, 5, 5)
    mask = nothing if name == "nothing" else MASKS[name][0]
    layer, x = copied(8, 2)[0].to(dtype), normal(3, 5, 8).to(dtype)
    results = []
    for needs in (True, False):
        layer.zero_grad()
        output, weights = layer(x, x, x, mask, needs_weights=needs)
        output.square().mean().backward()
        assert (weights is None) != needs
        results.append([output, *[p.grad.clone() for p in layer.parameters()]])
    # Sums of float32 in another order; that of the bias of the keys is 0 by cancellation alone.
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype == torch.float32 else {}
    torch.testing.assert_close(*results, **tolerance)


def test_fused_kernel_drops_in_training_alone():
    layer, x = MultiHeadAttention(8, 2, dropout=0.5), normal(2, 6, 8).float()
    assert not torch.equal(*[layer(x, x, x, needs_weights=False)[0] for _ in range(2)])
    layer.eval()
    assert torch.equal(*[layer(x, x, x, needs_weights=False)[0] for _ in range(2)])


def test_one_head_is_the_formula_of_the_course():
    """Z = softmax(Q K^T / sqrt(d_k)) V with Q = X W^Q, K = X W^K, V = X W^V."""
    layer = MultiHeadAttention(4, 1, bias=False).double()
    X = normal(3, 4)
    W_Q, W_K, W_V, W_O = (m.weight.T for m in (layer.query, layer.key, layer.value, layer.output))
    Q, K, V = X @ W_Q, X @ W_K, X @ W_V
    Z = torch.softmax(Q @ K.T / 2, dim=1) @ V
    torch.testing.assert_close(layer(X[None], X[None], X[None])[0][0], Z @ W_O)


def test_without_positions_the_order_of_tokens_does_not_matter():
    layer, x = MultiHeadAttention(8, 2).double(), normal(1, 5, 8)
    order = torch.tensor([3, 1, 4, 0, 2])
    y = layer(x, x, x)[0]
    shuffled = x[:, order]
    torch.testing.assert_close(layer(shuffled, shuffled, shuffled)[0], y[:, order])


def test_a_row_of_padding_alone_gives_no_nan_where_torch_does():
    ours, theirs = copied(8, 2)
    x, nothing = normal(2, 3, 8), torch.zeros(2, 1, 1, 3, dtype=torch.bool)
    output, weights = ours(x, x, x, nothing)
    torch.testing.assert_close(output, ours.output.bias.expand_as(output))
    assert (weights == 0).all()
    output.sum().backward()
    assert all(p.grad.isfinite().all() for p in ours.parameters())
    closed = torch.ones(2, 3, dtype=torch.bool)
    assert theirs(x, x, x, key_padding_mask=closed)[0].isnan().all()


def test_dropout_is_for_training_alone():
    layer, x = MultiHeadAttention(8, 2, dropout=0.5), normal(2, 6, 8).float()
    assert not torch.equal(layer(x, x, x)[0], layer(x, x, x)[0])
    layer.eval()
    assert torch.equal(layer(x, x, x)[0], layer(x, x, x)[0])


def test_heads_must_divide_the_dimension():
    with pytest.raises(ConfigError, match="3 heads do not divide 8"):
        MultiHeadAttention(8, 3)


def test_additive_attention_by_its_formula():
    layer = AdditiveAttention(3, 4, 5).double()
    q, k = normal(2, 2, 3), normal(2, 6, 4, seed=1)
    output, weights = layer(q, k, k)
    for row in range(2):
        for i in range(2):
            hidden = torch.tanh(layer.query(q[row, i]) + layer.key(k[row]))
            b = layer.score(hidden)[:, 0].softmax(0)
            torch.testing.assert_close(weights[row, i], b)
            torch.testing.assert_close(output[row, i], b @ k[row])


def test_additive_attention_does_not_see_padding():
    layer = AdditiveAttention(3, 4, 5).double()
    q, k = normal(2, 2, 3), normal(2, 6, 4, seed=1)
    mask = torch.tensor([4, 0])[:, None, None] > torch.arange(6)
    output, weights = layer(q, k, k, mask)
    torch.testing.assert_close(output[:1], layer(q[:1], k[:1, :4], k[:1, :4])[0])
    assert (output[1] == 0).all()
    assert (weights[1] == 0).all()


def test_slopes_and_their_slopes(smooth):
    q, k, v = normal(1, 2, 4), normal(1, 3, 4, seed=1), normal(1, 3, 4, seed=2)
    mask = torch.tensor([[True, True, False], [False, False, False]])
    smooth(MultiHeadAttention(4, 2), q, k, v, mask)
    smooth(AdditiveAttention(4, 4, 3), q, k, v, mask)
