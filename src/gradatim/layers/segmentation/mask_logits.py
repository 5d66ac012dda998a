"""`MaskLogits`: the output of every model that answers with a class a pixel."""

from jaxtyping import Float, Shaped
from torch import Tensor, nn

__all__ = ["MaskLogits"]


class MaskLogits(nn.Module):
    """Logits as the network gives them; nothing is learnt from the targets."""

    def fit(self, targets: Shaped[Tensor, "rows height width"]) -> "MaskLogits":
        """Learn nothing: classes need no scale of their own."""
        return self

    def encode(
        self, targets: Shaped[Tensor, "rows height width"]
    ) -> Shaped[Tensor, "rows height width"]:
        """Return the targets as the network sees them: classes, 255 where they are ignored."""
        return targets

    def forward(
        self, scores: Float[Tensor, "rows classes height width"]
    ) -> Float[Tensor, "rows classes height width"]:
        """Return the logits."""
        return scores
