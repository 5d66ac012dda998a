"""The transformer of Vaswani et al.: an encoder of the source, a decoder that looks at it."""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from gradatim.layers.linear import Linear
from gradatim.layers.positions import sinusoidal
from gradatim.layers.text.tokens import PAD
from gradatim.layers.translation.writer import Attending
from gradatim.ops.attention import attention, causal_mask, scaled_dot_scores
from gradatim.ops.products import linear
from gradatim.ops.translation.beam import State

__all__ = ["DecoderBlock", "EncoderBlock", "MemoryAttention", "TransformerWriter"]


class MemoryAttention(nn.Module):
    """Multi-head attention of tokens to a memory that is made once and asked often.

    head_i = softmax(Q_i K_i^T / sqrt(d)) V_i with Q = X W^Q and the memory [K V] = M W^KV cut into
    heads of d numbers; then concat(head_1, ..., head_h) W^O.

    Args:
        width: of a token, a multiple of the heads.
        heads: attentions side by side.

    Source: Vaswani et al. 2017, section 3.2; course 000, "multi-headed Self-Attention layer".

    Deviations: no biases and no dropout of the weights; a query that may attend to nothing, such as
        one to an empty sentence, gets zeros, where a softmax over nothing would be NaN.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = Linear(width, width, bias=False)
        self.memory = Linear(width, 2 * width, bias=False)
        self.output = Linear(width, width, bias=False)
        for matrix in (self.query.weight, *self.memory.weight.chunk(2), self.output.weight):
            nn.init.xavier_uniform_(matrix)

    def forward(
        self,
        queries: Float[Tensor, "rows queries width"],
        memory: Float[Tensor, "rows keys both"],
        mask: Bool[Tensor, "..."] | None = None,
    ) -> tuple[Float[Tensor, "rows queries width"], Float[Tensor, "rows heads queries keys"]]:
        """Return what was found, and the weights of each head.

        Args:
            queries: tokens that ask.
            memory: keys and values, as `self.memory` makes them of tokens.
            mask: True where a query may attend to a key; broadcasts with
                (rows, heads, queries, keys).
        """
        q, (k, v) = self._cut(self.query(queries)), map(self._cut, memory.chunk(2, dim=2))
        found, weights = attention(scaled_dot_scores(q, k), v, mask)
        return self.output(found.transpose(1, 2).flatten(2)), weights

    def _cut(
        self, tokens: Float[Tensor, "rows tokens width"]
    ) -> Float[Tensor, "rows heads tokens part"]:
        return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)


class EncoderBlock(nn.Module):
    """x' = x + D(A(N(x), N(x))), y = x' + D(F(N(x'))).

    N normalises each token, A is `MemoryAttention`, F(x) = W2 D(relu(W1 x + b1)) + b2, D drops in
    training alone.

    Args:
        width: of a token.
        heads: attentions side by side.
        hidden: units between W1 and W2.
        dropout: share that D drops, in [0, 1).

    Source: Vaswani et al. 2017, sections 3.1 and 3.3; Xiong et al. 2020 for the place of N.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.itself = MemoryAttention(width, heads)
        self.feed = nn.Sequential(
            Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), Linear(hidden, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "rows tokens width"], mask: Bool[Tensor, "..."]
    ) -> Float[Tensor, "rows tokens width"]:
        """Return the tokens after a look at each other and a thought of their own."""
        tokens = self.norm1(x)
        x = x + self.dropout(self.itself(tokens, self.itself.memory(tokens), mask)[0])
        return x + self.dropout(self.feed(self.norm2(x)))


class DecoderBlock(EncoderBlock):
    """As `EncoderBlock`, with x'' = x' + D(A(N(x'), source)) between its two lines."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__(width, heads, hidden, dropout)
        self.norm3, self.source = nn.LayerNorm(width), MemoryAttention(width, heads)

    def written(
        self,
        x: Float[Tensor, "rows tokens width"],
        memory: Float[Tensor, "rows seen both"],
        mask: Bool[Tensor, "..."] | None,
    ) -> tuple[Float[Tensor, "rows tokens width"], Float[Tensor, "rows all both"]]:
        """Return the first line, and the memory of what is written with these tokens in it."""
        tokens = self.norm1(x)
        memory = torch.cat([memory, self.itself.memory(tokens)], dim=1)
        return x + self.dropout(self.itself(tokens, memory, mask)[0]), memory

    def informed(
        self,
        x: Float[Tensor, "rows tokens width"],
        source: Float[Tensor, "rows sources both"],
        mask: Bool[Tensor, "rows 1 1 sources"],
    ) -> tuple[Float[Tensor, "rows tokens width"], Float[Tensor, "rows heads tokens sources"]]:
        """Return the other two lines, and where each head looked."""
        found, weights = self.source(self.norm3(x), source, mask)
        x = x + self.dropout(found)
        return x + self.dropout(self.feed(self.norm2(x))), weights


class TransformerWriter(Attending):
    """Blocks over the source, blocks over what is written; logits E N(y) + b.

    A token becomes sqrt(w) E[token] + p_t, p_t of `layers.positions.sinusoidal`. E of the target is
    both the vectors that tokens become and those that the outcome is compared with.

    Args:
        sources: different tokens of the source.
        targets: different tokens of the target.
        width: w, even and a multiple of the heads.
        depth: blocks of the encoder, and of the decoder.
        heads: attentions side by side.
        hidden: units between the matrices of a block.
        dropout: share that is dropped in training, in [0, 1).
        beams: beginnings of sentences that are kept while it writes.
        alpha: of the length penalty.

    Source: Vaswani et al. 2017; Press & Wolf 2017 (one matrix E).
    """

    def __init__(
        self,
        sources: int,
        targets: int,
        *,
        width: int,
        depth: int,
        heads: int,
        hidden: int,
        dropout: float,
        beams: int,
        alpha: float,
    ) -> None:
        super().__init__(beams, alpha)
        self.width = width
        self.sources, self.targets = nn.Embedding(sources, width), nn.Embedding(targets, width)
        for embedding in (self.sources, self.targets):
            nn.init.normal_(embedding.weight, std=width**-0.5)
        sizes = (width, heads, hidden, dropout)
        self.encoder = nn.ModuleList(EncoderBlock(*sizes) for _ in range(depth))
        self.decoder = nn.ModuleList(DecoderBlock(*sizes) for _ in range(depth))
        self.read, self.wrote = nn.LayerNorm(width), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(targets))
        self.dropout = nn.Dropout(dropout)

    def logits(
        self, tokens: Int64[Tensor, "rows sources"], shown: Int64[Tensor, "rows places"]
    ) -> Float[Tensor, "rows places words"]:
        """Return the logits of the token after each that is shown."""
        return self._logits(self._decoded(tokens, shown)[0])

    def alignments(
        self, tokens: Int64[Tensor, "rows sources"], shown: Int64[Tensor, "rows places"]
    ) -> Float[Tensor, "rows places sources"]:
        """Return where the heads of all blocks look, on average."""
        weights = self._decoded(tokens, shown)[1]
        return torch.stack([each.mean(1) for each in weights]).mean(0)

    def begin(self, tokens: Int64[Tensor, "rows sources"]) -> tuple[State, State]:
        """Return empty memories of what is written, and the memories of the source."""
        memories, mask = self._encoded(tokens)
        nothing = self.bias.new_zeros(len(tokens), 0, 2 * self.width)
        return tuple(nothing for _ in self.decoder), (*memories, mask)

    def say(
        self, words: Int64[Tensor, "rows beams"], state: State, source: State
    ) -> tuple[Float[Tensor, "rows beams words"], State]:
        """Return the logits after one token more; each beam is a query to one source."""
        (rows, beams), (*memories, mask) = words.shape, source
        x, kept = self._placed(self.targets, words.reshape(-1, 1), at=state[0].shape[2]), []
        for block, before, memory in zip(self._blocks(), state, memories, strict=True):
            x, after = block.written(x, before.flatten(0, 1), None)
            x = block.informed(x.view(rows, beams, -1), memory, mask)[0].view(-1, 1, self.width)
            kept.append(after.unflatten(0, (rows, beams)))
        return self._logits(x.view(rows, beams, -1)), tuple(kept)

    def _encoded(self, tokens: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return keys and values of the source for each block of the decoder, and their mask."""
        mask = (tokens != PAD)[:, None, None, :]
        x = self.dropout(self._placed(self.sources, tokens))
        for block in self.encoder:
            x = block(x, mask)
        x = self.read(x)
        return [block.source.memory(x) for block in self._blocks()], mask

    def _decoded(self, tokens: Tensor, shown: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the outcome of the blocks for all places at once, and where they looked."""
        (memories, mask), weights = self._encoded(tokens), []
        earlier = causal_mask(shown.shape[1], device=shown.device)
        nothing = self.bias.new_zeros(len(shown), 0, 2 * self.width)
        x = self.dropout(self._placed(self.targets, shown))
        for block, memory in zip(self._blocks(), memories, strict=True):
            x, looked = block.informed(block.written(x, nothing, earlier)[0], memory, mask)
            weights.append(looked)
        return x, weights

    def _blocks(self) -> Iterator[DecoderBlock]:
        for block in self.decoder:
            assert isinstance(block, DecoderBlock)
            yield block

    def _placed(self, embedding: nn.Embedding, tokens: Tensor, at: int = 0) -> Tensor:
        """Return the vectors of tokens with their places, the first of which is `at`."""
        vectors = embedding(tokens) * math.sqrt(self.width)
        return vectors + sinusoidal(at + tokens.shape[1], self.width)[at:].to(vectors)

    def _logits(self, x: Tensor) -> Tensor:
        return linear(self.wrote(x), self.targets.weight, self.bias)
