"""`CausalDecoder`: a transformer in which each token looks back at the latest ones."""

import math

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.linear import Linear
from gradatim.layers.positions import rotate
from gradatim.layers.text.reader import Reader
from gradatim.ops.attention import causal_mask
from gradatim.ops.products import linear

__all__ = ["CausalAttention", "CausalBlock", "CausalDecoder"]


class CausalAttention(nn.Module):
    """Multi-head attention of tokens to themselves and to those before them.

    head_i = softmax(R(q_i) . R(k_i) / sqrt(d) + mask) v_i with q, k, v = W^Q x, W^K x, W^V x cut
    into heads of d numbers, R the turn of `layers.positions.rotate`; then W^O of all heads.

    Keys are remembered before their turn: only how far a key stands back counts, and that grows.

    Args:
        width: of a token, a multiple of twice the heads.
        heads: attentions side by side.

    Source: Vaswani et al. 2017, section 3.2; Su et al. 2021 (R); Dai et al. 2019 (the memory).

    Deviations: no biases; no dropout of the weights, for which torch has no fused kernel here.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.joined = Linear(width, 3 * width, bias=False)
        self.output = Linear(width, width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "rows places width"],
        memory: Float[Tensor, "rows seen both"],
        mask: Bool[Tensor, "places all"],
    ) -> tuple[Float[Tensor, "rows places width"], Float[Tensor, "rows all both"]]:
        """Return what each token found, and the keys and values of all, side by side.

        Args:
            x: tokens that follow one another.
            memory: keys and values of the tokens before them.
            mask: True where a token may look.
        """
        queries, both = self.joined(x).split([self.width, 2 * self.width], dim=2)
        both = torch.cat([memory, both], dim=1)
        q, (k, v) = self._cut(queries), map(self._cut, both.chunk(2, dim=2))
        place = torch.arange(k.shape[2], device=x.device)
        q, k = rotate(q, place[-x.shape[1] :]), rotate(k, place)
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.output(found.transpose(1, 2).flatten(2)), both

    def _cut(
        self, tokens: Float[Tensor, "rows places width"]
    ) -> Float[Tensor, "rows heads places part"]:
        return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)


class CausalBlock(nn.Module):
    """x' = x + D(A(N(x))), y = x' + D(W2 gelu(W1 N(x') + b1) + b2).

    N normalises each token, A is `CausalAttention`, D drops in training alone.

    Args:
        width: of a token.
        heads: attentions side by side.
        hidden: units between W1 and W2.
        dropout: share that D drops, in [0, 1).

    Source: Radford et al. 2019, section 2.3, for the place of N.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = CausalAttention(width, heads)
        self.feed = nn.Sequential(
            Linear(width, hidden), nn.GELU(approximate="tanh"), Linear(hidden, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Float[Tensor, "rows places width"],
        memory: Float[Tensor, "rows seen both"],
        mask: Bool[Tensor, "places all"],
    ) -> tuple[Float[Tensor, "rows places width"], Float[Tensor, "rows all both"]]:
        """Return the tokens after a look back, and keys and values of all."""
        found, both = self.attention(self.norm1(x), memory, mask)
        x = x + self.dropout(found)
        return x + self.dropout(self.feed(self.norm2(x))), both


class CausalDecoder(Reader):
    """x = sqrt(w) E[token], then blocks; the logits of the next token are E N(x) + b.

    In each block a token sees itself and the `context - 1` tokens before it, and those saw as many
    before them: what is said may depend on depth x (context - 1) tokens. E is both the vectors that
    tokens become and those that the outcome is compared with.

    Args:
        vocabulary: different tokens.
        width: w, numbers of a token, a multiple of twice the heads.
        depth: blocks.
        heads: attentions side by side.
        hidden: units between the matrices of a block.
        context: tokens that a token sees in a block, itself among them, from 1.
        dropout: share that is dropped in training, in [0, 1).

    Source: Radford et al. 2018 and 2019; Dai et al. 2019 (keys and values of earlier windows);
        Press & Wolf 2017 (one matrix E).

    Deviations: as `CausalAttention`; keys and values of earlier windows are kept, where Dai et al.
        keep states and make keys and values of them anew. The first weights of a matrix with n
        inputs have a standard deviation of 1 / sqrt(n), where GPT-2 has 0.02 at any width: at small
        widths attention is then flat at first, and what to look at is found much later.
    """

    def __init__(
        self,
        vocabulary: int,
        width: int,
        depth: int,
        heads: int,
        hidden: int,
        context: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.width, self.depth, self.context = width, depth, context
        self.embedding = nn.Embedding(vocabulary, width)
        blocks = (CausalBlock(width, heads, hidden, dropout) for _ in range(depth))
        self.blocks, self.norm = nn.ModuleList(blocks), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.dropout = nn.Dropout(dropout)
        self._begin()

    def read(
        self,
        tokens: Int64[Tensor, "rows places"],
        memory: Float[Tensor, "rows depth seen both"] | None = None,
    ) -> tuple[Float[Tensor, "rows places vocabulary"], Float[Tensor, "rows depth kept both"]]:
        """Return the logits of the token after each, and what is remembered.

        Args:
            tokens: that follow one another, at least one.
            memory: as returned for the tokens before them: keys and values of the latest
                `context - 1` at most, in each block. None when nothing stands there.
        """
        if memory is None:
            memory = self.bias.new_zeros(len(tokens), self.depth, 0, 2 * self.width)
        logits = []
        # Pieces bound the memory that pairs of tokens take; the outcome is the same.
        for piece in tokens.split(max(self.context, 128), dim=1):
            said, memory = self._piece(piece, memory)
            logits.append(said)
        return torch.cat(logits, dim=1), memory

    def _piece(self, tokens: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        count, all_ = tokens.shape[1], tokens.shape[1] + memory.shape[2]
        far = all_ - count - self.context + 1
        mask = causal_mask(count, all_, tokens.device).triu(far)
        x = self.dropout(self.embedding(tokens) * math.sqrt(self.width))
        kept = []
        for block, before in zip(self.blocks, memory.unbind(1), strict=True):
            x, both = block(x, before, mask)
            kept.append(both[:, max(0, all_ - self.context + 1) :])
        logits = linear(self.norm(x), self.embedding.weight, self.bias)
        return logits, torch.stack(kept, dim=1)

    @torch.no_grad()
    def _begin(self) -> None:
        """Draw the first weights; what is added to a token in a block is small at first."""
        nn.init.normal_(self.embedding.weight, std=self.width**-0.5)
        for name, layer in self.named_modules():
            if isinstance(layer, nn.Linear):
                adds = name.endswith(("attention.output", "feed.2"))
                terms = 2 * self.depth if adds else 1
                nn.init.normal_(layer.weight, std=(layer.in_features * terms) ** -0.5)
