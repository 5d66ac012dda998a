"""Attention: a weighted mean of values, where scores of queries with keys give the weights."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

__all__ = [
    "additive_scores",
    "attention",
    "attention_weights",
    "causal_mask",
    "scaled_dot_product_attention",
    "scaled_dot_scores",
]


def scaled_dot_scores(
    queries: Float[Tensor, "*batch queries dim"], keys: Float[Tensor, "*batch keys dim"]
) -> Float[Tensor, "*batch queries keys"]:
    """Return q . k / sqrt(d), whose variance does not grow with d.

    Source: Vaswani et al. 2017, equation (1); course 000, "Transformer layer".

    >>> q, k = torch.ones(1, 64), torch.ones(1, 64)
    >>> scaled_dot_scores(1.75 * q, k)  # 112 / 8
    tensor([[14.]])
    """
    return queries @ keys.mT / math.sqrt(queries.shape[-1])


def additive_scores(
    queries: Float[Tensor, "*batch queries query_dim"],
    keys: Float[Tensor, "*batch keys key_dim"],
    W_q: Float[Tensor, "hidden query_dim"],
    W_k: Float[Tensor, "hidden key_dim"],
    v: Float[Tensor, " hidden"],
) -> Float[Tensor, "*batch queries keys"]:
    """Return v . tanh(W_q q + W_k k): a score for queries and keys of different lengths.

    Source: Bahdanau, Cho & Bengio 2015, appendix A.1.2.

    >>> one = torch.ones(1, 1)
    >>> additive_scores(0 * one, 0 * one, one, one, one[0])
    tensor([[0.]])
    """
    sums = (queries @ W_q.T)[..., :, None, :] + (keys @ W_k.T)[..., None, :, :]
    return sums.tanh() @ v


def attention_weights(
    scores: Float[Tensor, "*batch queries keys"], mask: Bool[Tensor, "..."] | None = None
) -> Float[Tensor, "*batch queries keys"]:
    """Return b = softmax(a) of each query over the keys that it may attend to.

    Args:
        scores: any numbers that are finite where the mask allows them.
        mask: broadcasts with the scores; True where a query may attend to a key.

    Returns:
        Weights of at least 0 that sum to 1; all 0 where a query may attend to nothing. A softmax
        over nothing is 0/0, whose NaN would spread to every parameter.

    Source: course 000, "Attention layer".

    >>> attention_weights(torch.tensor([[14.0, 12.0]]))  # the example of the slides
    tensor([[0.8808, 0.1192]])
    """
    if mask is None:
        return scores.softmax(-1)
    nothing = ~mask.any(-1, keepdim=True)
    # A row of nothing gets equal scores before the softmax and zeros after it: no NaN anywhere,
    # where a debugger (torch.autograd.detect_anomaly) would stop.
    open_scores = scores.masked_fill(~mask, -torch.inf).masked_fill(nothing, 0)
    return open_scores.softmax(-1).masked_fill(~mask, 0)


def attention(
    scores: Float[Tensor, "*batch queries keys"],
    values: Float[Tensor, "*batch keys dim"],
    mask: Bool[Tensor, "..."] | None = None,
) -> tuple[Float[Tensor, "*batch queries dim"], Float[Tensor, "*batch queries keys"]]:
    """Return o = sum_i b_i v_i of each query, and the weights b = softmax(a).

    Args:
        scores: a_i = score of a query with key i.
        values: one for each key, finite.
        mask: True where a query may attend to a key; a query without any key gets zeros.

    Source: course 000, "Attention layer"; Bahdanau, Cho & Bengio 2015, equations (5) and (6).

    >>> output, weights = attention(torch.tensor([[14.0, 12.0]]), torch.tensor([[1.0], [0.0]]))
    >>> output
    tensor([[0.8808]])
    """
    weights = attention_weights(scores, mask)
    return weights @ values, weights


def scaled_dot_product_attention(
    queries: Float[Tensor, "*batch queries dim"],
    keys: Float[Tensor, "*batch keys dim"],
    values: Float[Tensor, "*batch keys value_dim"],
    mask: Bool[Tensor, "..."] | None = None,
) -> tuple[Float[Tensor, "*batch queries value_dim"], Float[Tensor, "*batch queries keys"]]:
    """Return softmax(Q K^T / sqrt(d)) V and the weights.

    Source: Vaswani et al. 2017, equation (1); course 000, "Attention layer" (Z).

    >>> x = torch.eye(2)
    >>> scaled_dot_product_attention(x, x, x, causal_mask(2))[1][0]  # the first sees itself alone
    tensor([1., 0.])
    """
    return attention(scaled_dot_scores(queries, keys), values, mask)


def causal_mask(
    queries: int, keys: int | None = None, device: torch.device | str | None = None
) -> Bool[Tensor, "queries keys"]:
    """Return True where key i is not later than query t: i <= t + (keys - queries).

    Args:
        queries: tokens that ask; the last one is as late as the last key.
        keys: tokens that are asked, as many when left out; more when earlier ones are remembered.
        device: of the result.

    >>> causal_mask(2, 3)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    keys = queries if keys is None else keys
    full = torch.ones(queries, keys, dtype=torch.bool, device=device)
    return full.tril(keys - queries)
