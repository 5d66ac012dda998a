"""Recurrent translators: one state for the whole source, or attention to each of its words."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gradatim.layers.linear import Linear
from gradatim.layers.recurrent_cells import begin_recurrent
from gradatim.layers.text.tokens import PAD
from gradatim.layers.translation.writer import Attending, Writer
from gradatim.ops.attention import attention
from gradatim.ops.products import linear
from gradatim.ops.translation.beam import State

__all__ = ["AttentionWriter", "GruEncoder", "GruWriter", "RecurrentWriter"]


class GruEncoder(nn.Module):
    """h_i = [forwards_i, backwards_i]: a GRU from each end of a sentence, side by side.

    Args:
        words: different tokens.
        width: of the vectors of tokens, and of each direction's states.
        dropout: share of the vectors that is dropped in training, in [0, 1).

    Source: Cho et al. 2014, section 2.3 (GRU); Bahdanau, Cho & Bengio 2015, section 3.2.
    """

    def __init__(self, words: int, width: int, dropout: float) -> None:
        super().__init__()
        self.embedding, self.dropout = nn.Embedding(words, width), nn.Dropout(dropout)
        self.cell = nn.GRU(width, width, batch_first=True, bidirectional=True)
        nn.init.normal_(self.embedding.weight)
        begin_recurrent(self.cell)

    def forward(
        self, tokens: Int64[Tensor, "rows sources"]
    ) -> tuple[Float[Tensor, "rows sources both"], Float[Tensor, "rows both"]]:
        """Return the states at each token, and the last state of each direction."""
        vectors = self.dropout(self.embedding(tokens))
        # PAD must not be read on the way back. An empty sentence is one PAD.
        lengths = (tokens != PAD).sum(1).clamp_min(1).cpu()
        packed = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        states, last = self.cell(packed)
        whole = pad_packed_sequence(states, batch_first=True, total_length=tokens.shape[1])[0]
        return whole, torch.cat([last[0], last[1]], dim=1)


class RecurrentWriter(Writer):
    """The logits of the next token are E tanh(V [s_t, c_t, e_t]) + b, e_t = sqrt(w) D(E[y_t]).

    s_t is a recurrent state, c_t what is known of the source; D drops in training alone. E is both
    the vectors that tokens become and those that the outcome is compared with.

    Args:
        sources: different tokens of the source.
        targets: different tokens of the target.
        width: w, of the vectors of tokens and of states; of c_t, 2 w.
        dropout: share that D drops, in [0, 1).
        beams: beginnings of sentences that are kept while it writes.
        alpha: of the length penalty.

    Source: Cho et al. 2014, appendix A; Press & Wolf 2017 (one matrix E).
    """

    def __init__(
        self, sources: int, targets: int, *, width: int, dropout: float, beams: int, alpha: float
    ) -> None:
        super().__init__(beams, alpha)
        self.width = width
        self.encoder = GruEncoder(sources, width, dropout)
        self.embedding = nn.Embedding(targets, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.first = Linear(2 * width, width)
        self.joined = Linear(4 * width, width)
        self.bias = nn.Parameter(torch.zeros(targets))
        self.dropout = nn.Dropout(dropout)

    def _vectors(self, tokens: Tensor) -> Tensor:
        return self.dropout(self.embedding(tokens) * math.sqrt(self.width))

    def _logits(self, states: Tensor, context: Tensor, vectors: Tensor) -> Tensor:
        joined = self.joined(torch.cat([states, context, vectors], dim=-1)).tanh()
        return linear(self.dropout(joined), self.embedding.weight, self.bias)


class GruWriter(RecurrentWriter):
    """s_t = GRU([e_t, c], s_(t-1)), s_0 = tanh(W c); c = the last states of the encoder.

    All else is as in `RecurrentWriter`.

    Source: Cho et al. 2014, section 2.2 and appendix A; Sutskever, Vinyals & Le 2014.
    """

    def __init__(
        self, sources: int, targets: int, *, width: int, dropout: float, beams: int, alpha: float
    ) -> None:
        super().__init__(sources, targets, width=width, dropout=dropout, beams=beams, alpha=alpha)
        self.cell = nn.GRU(3 * width, width, batch_first=True)
        begin_recurrent(self.cell)

    def logits(
        self, tokens: Int64[Tensor, "rows sources"], shown: Int64[Tensor, "rows places"]
    ) -> Float[Tensor, "rows places words"]:
        """Return the logits of the token after each that is shown."""
        (state,), (context,) = self.begin(tokens)
        return self._read(shown, state, context)[0]

    def begin(self, tokens: Int64[Tensor, "rows sources"]) -> tuple[State, State]:
        """Return s_0 and c."""
        context = self.encoder(tokens)[1]
        return (self.first(context).tanh(),), (context,)

    def say(
        self, words: Int64[Tensor, "rows beams"], state: State, source: State
    ) -> tuple[Float[Tensor, "rows beams words"], State]:
        """Return the logits after one token more, and s_t."""
        context = source[0].repeat_interleave(words.shape[1], dim=0)
        logits, after = self._read(words.reshape(-1, 1), state[0].flatten(0, 1), context)
        return logits.view(*words.shape, -1), (after.view_as(state[0]),)

    def _read(self, tokens: Tensor, state: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits after each token of a sentence, and the last state."""
        vectors, context = self._vectors(tokens), context[:, None].expand(-1, tokens.shape[1], -1)
        states, last = self.cell(torch.cat([vectors, context], dim=2), state[None].contiguous())
        return self._logits(states, context, vectors), last[0]


class AttentionWriter(RecurrentWriter, Attending):
    """s_t = GRU([e_t, c_t], s_(t-1)), c_t = sum_i a_ti h_i: another look at every word.

    a_t = softmax over i of v . tanh(W_s s_(t-1) + W_h h_i), h_i the states of the encoder and
    s_0 = tanh(W m), m their mean. All else is as in `RecurrentWriter`.

    Source: Bahdanau, Cho & Bengio 2015, sections 3 and A.1.2.
    """

    def __init__(
        self, sources: int, targets: int, *, width: int, dropout: float, beams: int, alpha: float
    ) -> None:
        super().__init__(sources, targets, width=width, dropout=dropout, beams=beams, alpha=alpha)
        self.query = Linear(width, width, bias=False)
        self.key = Linear(2 * width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)
        self.cell = nn.GRUCell(3 * width, width)
        for gate in self.cell.weight_hh.split(width):
            nn.init.orthogonal_(gate)

    def logits(
        self, tokens: Int64[Tensor, "rows sources"], shown: Int64[Tensor, "rows places"]
    ) -> Float[Tensor, "rows places words"]:
        """Return the logits of the token after each that is shown."""
        vectors, states, contexts, _ = self._walked(tokens, shown)
        return self._logits(states, contexts, vectors)

    def alignments(
        self, tokens: Int64[Tensor, "rows sources"], shown: Int64[Tensor, "rows places"]
    ) -> Float[Tensor, "rows places sources"]:
        """Return a_t after each token that is shown."""
        return self._walked(tokens, shown)[3]

    def begin(self, tokens: Int64[Tensor, "rows sources"]) -> tuple[State, State]:
        """Return s_0, and the h_i with W_h h_i and the words that there are."""
        states, mask = self.encoder(tokens)[0], (tokens != PAD)[:, None, :]
        mean = states.sum(1) / mask.sum(2).clamp_min(1)
        return (self.first(mean).tanh(),), (states, self.key(states), mask)

    def say(
        self, words: Int64[Tensor, "rows beams"], state: State, source: State
    ) -> tuple[Float[Tensor, "rows beams words"], State]:
        """Return the logits after one token more, and s_t."""
        vectors = self._vectors(words)
        after, context, _ = self._step(vectors, state[0], source)
        return self._logits(after, context, vectors), (after,)

    def _step(
        self,
        vectors: Float[Tensor, "rows beams width"],
        state: Float[Tensor, "rows beams width"],
        source: State,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return s_t, c_t and a_t."""
        states, keys, mask = source
        scores = self.score((self.query(state)[:, :, None] + keys[:, None]).tanh())[..., 0]
        context, weights = attention(scores, states, mask)
        given = torch.cat([vectors, context], dim=2).flatten(0, 1)
        return self.cell(given, state.flatten(0, 1)).view_as(state), context, weights

    def _walked(self, tokens: Tensor, shown: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return e, s, c and a of all places: one after the other, for c hangs on s."""
        (state,), source = self.begin(tokens)
        vectors, state, walked = self._vectors(shown), state[:, None], []
        for vector in vectors.split(1, dim=1):
            state, context, weights = self._step(vector, state, source)
            walked.append((state, context, weights))
        states, contexts, looks = (torch.cat(part, dim=1) for part in zip(*walked, strict=True))
        return vectors, states, contexts, looks
