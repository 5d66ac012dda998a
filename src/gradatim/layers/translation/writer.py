"""`Writer`: a network that reads a sentence and writes another, one token after the other."""

from abc import ABC, abstractmethod

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.text.tokens import BEGIN, END, PAD, UNKNOWN
from gradatim.ops.translation.beam import State, beam_search

__all__ = ["Attending", "Writer"]


class Writer(nn.Module, ABC):
    """p(y | x) = prod_t p(y_t | y_1 ... y_(t-1), x); a subclass says how the factors come about.

    Args:
        beams: beginnings of sentences that are kept while it writes.
        alpha: of the length penalty.
    """

    def __init__(self, beams: int, alpha: float) -> None:
        super().__init__()
        self.beams, self.alpha = beams, alpha

    def forward(
        self,
        tokens: Int64[Tensor, "rows sources"],
        shown: Int64[Tensor, "rows targets"] | None = None,
    ) -> Tensor:
        """Return logits where it is shown the right words, else what it writes itself.

        Args:
            tokens: of the sources, PAD after their ends.
            shown: BEGIN, the tokens of the targets, END, and PAD after it.

        Returns:
            Logits (rows, targets - 1, tokens) of the token after each of `shown` but the last; or
            int64 (rows, longest), the tokens of translations, PAD after their ends.
        """
        tokens = F.pad(tokens, (0, max(0, 1 - tokens.shape[1])), value=PAD)
        if shown is not None:
            return self.logits(tokens, shown[:, :-1])
        if not len(tokens):
            return tokens[:, :0]
        start, source = self.begin(tokens)
        return beam_search(
            self.say,
            start,
            source,
            2 * (tokens != PAD).sum(1) + 10,
            begin=BEGIN,
            end=END,
            banned=(PAD, BEGIN, UNKNOWN),
            beams=self.beams,
            alpha=self.alpha,
        )

    @abstractmethod
    def logits(
        self, tokens: Int64[Tensor, "rows sources"], shown: Int64[Tensor, "rows places"]
    ) -> Float[Tensor, "rows places words"]:
        """Return the logits of the token after each that is shown."""

    @abstractmethod
    def begin(self, tokens: Int64[Tensor, "rows sources"]) -> tuple[State, State]:
        """Return the state before the first token, and what is known of the source."""

    @abstractmethod
    def say(
        self, words: Int64[Tensor, "rows beams"], state: State, source: State
    ) -> tuple[Float[Tensor, "rows beams words"], State]:
        """Return the logits after one token more, and the next state; see `ops.translation.Say`."""


class Attending(Writer):
    """A writer that looks at words of the source as it writes."""

    @abstractmethod
    def alignments(
        self, tokens: Int64[Tensor, "rows sources"], shown: Int64[Tensor, "rows places"]
    ) -> Float[Tensor, "rows places sources"]:
        """Return how much the token after each that is shown looks at each word of the source.

        Args:
            tokens: of the sources, PAD after their ends.
            shown: BEGIN and the tokens of the targets.

        Returns:
            Weights of at least 0 that sum to 1 over the words of a source.
        """
