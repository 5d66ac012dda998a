"""`RecurrentReader`: reads a text token by token and says after each what may come next."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gradatim.layers.recurrent_cells import begin_recurrent
from gradatim.layers.text.reader import Reader

__all__ = ["RecurrentReader"]

CELLS: Mapping[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class RecurrentReader(Reader):
    """h_t = cell(D(E[w_t]), h_(t-1)); the logits of token t + 1 are V D(h_t) + b.

    E[w] is the learnt vector of a token, D drops in training alone; of several cells on top of each
    other, each reads D of the states of the one below.

    Args:
        cell: rnn, gru or lstm, as in `layers.recurrent_cells`.
        vocabulary: different tokens.
        embedding: numbers of the vector of a token.
        width: of a state.
        depth: cells on top of each other.
        dropout: share that D drops, in [0, 1).

    Source: Mikolov et al. 2010 (recurrent language models); Zaremba, Sutskever & Vinyals 2014,
        section 3 (where D stands).
    """

    def __init__(
        self, cell: str, vocabulary: int, embedding: int, width: int, depth: int, dropout: float
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        # torch drops between cells alone, and warns where there is only one.
        between = dropout if depth > 1 else 0.0
        self.cell = CELLS[cell](embedding, width, depth, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, vocabulary)
        begin_recurrent(self.cell)

    def read(
        self,
        tokens: Int64[Tensor, "rows places"],
        memory: Float[Tensor, "rows states width"] | None = None,
    ) -> tuple[Float[Tensor, "rows places vocabulary"], Float[Tensor, "rows states width"]]:
        """Return the logits of the token after each, and what is remembered.

        Args:
            tokens: that follow one another, at least one.
            memory: as returned for the tokens before them: the state of every cell, and the
                memories of an lstm after them. None when nothing stands there: zeros.
        """
        before = None if memory is None else self._states(memory)
        states, after = self.cell(self.dropout(self.embedding(tokens)), before)
        last = torch.cat(after) if isinstance(after, tuple) else after
        return self.output(self.dropout(states)), last.transpose(0, 1)

    def _states(self, memory: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return a memory as torch's cells take it, the cells first."""
        first = memory.transpose(0, 1).contiguous()
        return first.chunk(2) if isinstance(self.cell, nn.LSTM) else first
