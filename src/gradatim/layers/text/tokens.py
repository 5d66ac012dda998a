"""`Tokens`: text in pieces that have a number each. Characters here, pieces of words in `bpe`."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Int, Int32, Int64
from torch import Tensor, nn

from gradatim.ops.text.characters import STRANGE

__all__ = ["BEGIN", "END", "PAD", "UNKNOWN", "Characters", "Tokens", "trimmed"]

PAD, BEGIN, END, UNKNOWN = 0, 1, 2, 3
"""After the end of a row, before its first token, after its last one, and for what is unknown."""
SPECIAL = 4


class Tokens(nn.Module, ABC):
    """Rows of characters to rows of tokens, and tokens to strings.

    Attributes:
        count: how many different tokens there are, the four special ones among them; known before
            anything is fitted.
        extents: sizes that came from the data, for `Model.extents`.
    """

    count: int
    extents: dict[str, int]

    @abstractmethod
    def fit(self, inputs: Int32[Tensor, "rows length"]) -> "Tokens":
        """Learn the vocabulary of these rows."""

    @abstractmethod
    def forward(self, inputs: Int32[Tensor, "rows length"]) -> Int64[Tensor, "rows longest"]:
        """Return the tokens of each row, PAD after its end, no BEGIN and no END."""

    @abstractmethod
    def pieces(self) -> list[str]:
        """Return what each token stands for; nothing for PAD, BEGIN, END and those not in use."""

    def write(self, tokens: Int64[Tensor, "rows tokens"]) -> list[str]:
        """Return the text of each row, up to its first END; what is unknown is U+FFFD."""
        pieces = self.pieces()
        rows = (row[: row.index(END)] if END in row else row for row in tokens.tolist())
        return ["".join([pieces[token] for token in row]) for row in rows]

    def lengths(self) -> Int64[Tensor, " count"]:
        """Return how many characters each token stands for."""
        return torch.tensor([len(piece) for piece in self.pieces()])


class Characters(Tokens):
    """Every character is a token: its number in the alphabet and 4.

    Args:
        alphabet: of the signature.
    """

    def __init__(self, alphabet: str) -> None:
        super().__init__()
        self.alphabet, self.count, self.extents = alphabet, len(alphabet) + SPECIAL, {}

    def fit(self, inputs: Int32[Tensor, "rows length"]) -> "Characters":
        """Learn nothing: the alphabet is known."""
        return self

    def forward(self, inputs: Int32[Tensor, "rows length"]) -> Int64[Tensor, "rows longest"]:
        """Return the tokens of each row."""
        tokens = inputs.long() + SPECIAL
        tokens = tokens.masked_fill(inputs < 0, PAD)
        return trimmed(tokens.masked_fill(inputs >= len(self.alphabet), UNKNOWN))

    def pieces(self) -> list[str]:
        """Return the alphabet behind the special tokens."""
        return ["", "", "", STRANGE, *self.alphabet]


def trimmed(tokens: Int[Tensor, "rows tokens"], filling: int = PAD) -> Int[Tensor, "rows longest"]:
    """Return the rows without the columns at the end in which no row has anything.

    >>> trimmed(torch.tensor([[5, 6, 0], [7, 0, 0]]))
    tensor([[5, 6],
            [7, 0]])
    """
    used = (tokens != filling).any(0).nonzero()
    return tokens[:, : int(used[-1]) + 1 if len(used) else 0]
