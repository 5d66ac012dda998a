"""`NextTokens`: the output of a model of text, whose answers are logits of the next token."""

from jaxtyping import Float, Shaped
from torch import Tensor, nn

__all__ = ["NextTokens"]


class NextTokens(nn.Module):
    """Leave the logits as they are: a text is its own target, and its tokeniser encodes both."""

    def fit(self, targets: Shaped[Tensor, "rows length"]) -> "NextTokens":
        """Learn nothing."""
        return self

    def encode(self, targets: Shaped[Tensor, "rows length"]) -> Shaped[Tensor, "rows length"]:
        """Return the targets as they are."""
        return targets

    def forward(
        self, logits: Float[Tensor, "rows places tokens"]
    ) -> Float[Tensor, "rows places tokens"]:
        """Return the logits of the token after each."""
        return logits
