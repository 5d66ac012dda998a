"""Layers of attention: the matrices are learnt, the arithmetic is in `gradatim.ops.attention`."""

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.layers.linear import Linear
from gradatim.ops.attention import (
    additive_scores,
    attention,
    attention_weights,
    scaled_dot_scores,
)

__all__ = ["AdditiveAttention", "MultiHeadAttention"]


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each in its own projection; W^O joins what they return.

    head_i = softmax(Q_i K_i^T / sqrt(d_k)) V_i with Q = X W^Q, K = X W^K, V = X W^V cut into
    heads; Z = concat(head_1, ..., head_h) W^O.

    Args:
        dim: of the tokens; d_k = dim / heads.
        heads: attentions side by side.
        dropout: share of the weights that is dropped in training, in [0, 1).
        bias: whether each projection adds a bias.

    Raises:
        ConfigError: the heads do not divide the dimension.

    Source: Vaswani et al. 2017, section 3.2.2; course 000, "multi-headed Self-Attention layer".

    Deviations: a query that may attend to nothing gets the bias of W^O, where torch's layer
    returns NaN. Linear layers keep the transposes of the W of the formula. Weights begin as
    Xavier's, biases as 0.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0, bias: bool = True) -> None:
        super().__init__()
        if dim % heads:
            raise ConfigError(
                f"{heads} heads do not divide {dim} dimensions; expected a divisor of {dim}"
            )
        self.heads = heads
        self.query = Linear(dim, dim, bias)
        self.key = Linear(dim, dim, bias)
        self.value = Linear(dim, dim, bias)
        self.output = Linear(dim, dim, bias)
        self.dropout = nn.Dropout(dropout)
        for layer in (self.query, self.key, self.value, self.output):
            nn.init.xavier_uniform_(layer.weight)
            if bias:
                nn.init.zeros_(layer.bias)

    def forward(
        self,
        queries: Float[Tensor, "rows queries dim"],
        keys: Float[Tensor, "rows keys dim"],
        values: Float[Tensor, "rows keys dim"],
        mask: Bool[Tensor, "..."] | None = None,
        needs_weights: bool = True,
    ) -> tuple[Float[Tensor, "rows queries dim"], Float[Tensor, "rows heads queries keys"] | None]:
        """Return the joined heads, and the weights of each head before dropout.

        Args:
            queries: tokens that ask; self-attention gives the same tokens three times.
            keys: tokens that are compared with.
            values: what is averaged.
            mask: True where a query may attend to a key; broadcasts with
                (rows, heads, queries, keys), so (queries, keys) serves all rows and heads, and
                lengths come as (rows, 1, 1, keys).
            needs_weights: without them torch's fused kernel is used and None returned in their
                place. It is faster for long sequences, keeps no weight of a pair, and has no
                second derivatives on a CPU.
        """
        q, k = self._cut(self.query(queries)), self._cut(self.key(keys))
        v, weights = self._cut(self.value(values)), None
        if needs_weights:
            weights = attention_weights(scaled_dot_scores(q, k), mask)
            heads = self.dropout(weights) @ v
        else:
            dropped = self.dropout.p if self.training else 0.0
            heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropped)
        return self.output(heads.transpose(1, 2).flatten(2)), weights

    def _cut(
        self, tokens: Float[Tensor, "rows tokens dim"]
    ) -> Float[Tensor, "rows heads tokens part"]:
        return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)


class AdditiveAttention(nn.Module):
    """Attention whose score is a small network: a = v . tanh(W_q q + W_k k).

    Args:
        query_dim: of a query, such as the state of a decoder.
        key_dim: of a key, such as the state of an encoder.
        hidden: units of the score.

    Source: Bahdanau, Cho & Bengio 2015, appendix A.1.2; course 000, "Attention layer" (alpha).
    """

    def __init__(self, query_dim: int, key_dim: int, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_dim, hidden, bias=False)
        self.key = nn.Linear(key_dim, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(
        self,
        queries: Float[Tensor, "rows queries query_dim"],
        keys: Float[Tensor, "rows keys key_dim"],
        values: Float[Tensor, "rows keys value_dim"],
        mask: Bool[Tensor, "..."] | None = None,
    ) -> tuple[Float[Tensor, "rows queries value_dim"], Float[Tensor, "rows queries keys"]]:
        """Return the mean of the values for each query, and its weights.

        Args:
            queries: tokens that ask.
            keys: tokens that are scored.
            values: what is averaged; often the keys.
            mask: True where a query may attend to a key; broadcasts with (rows, queries, keys).
        """
        v = self.score.weight[0]
        scores = additive_scores(queries, keys, self.query.weight, self.key.weight, v)
        return attention(scores, values, mask)
