"""The output of a model that plays."""

from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Values"]


class Values(nn.Module):
    """Values of actions, in points of the game, as the network says them."""

    def fit(self, targets: Tensor) -> "Values":
        """Learn nothing: games have no targets."""
        return self

    def encode(self, targets: Tensor) -> Tensor:
        """Return the targets as they are."""
        return targets

    def forward(self, outputs: Float[Tensor, "rows actions"]) -> Float[Tensor, "rows actions"]:
        """Return the values."""
        return outputs
