"""`Reader`: what n-grams, recurrent networks and decoders are to those who ask them."""

from abc import abstractmethod
from typing import ClassVar

from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

__all__ = ["Reader"]


class Reader(nn.Module):
    """A network that reads a text in pieces and says after each token what may come next."""

    carries: ClassVar[bool] = True
    """Whether training hands the memory of one window on to the next."""

    @abstractmethod
    def read(
        self, tokens: Int64[Tensor, "rows places"], memory: Tensor | None = None
    ) -> tuple[Float[Tensor, "rows places vocabulary"], Shaped[Tensor, "rows *remembered"]]:
        """Return the logits of the token after each, and what is remembered, rows first.

        Args:
            tokens: that follow one another, at least one.
            memory: as returned for the tokens before them; None when nothing stands there.
        """

    def forward(
        self, tokens: Int64[Tensor, "rows places"]
    ) -> Float[Tensor, "rows places vocabulary"]:
        """Return the logits of the token after each, where nothing stands before the first."""
        return self.read(tokens)[0]
