"""`Constant`: the same answer whatever is asked."""

import torch
from jaxtyping import Float64, Shaped
from torch import Tensor, nn

__all__ = ["Constant"]


class Constant(nn.Module):
    """Answer every row with the same scores.

    Args:
        outputs: how many scores a row gets.
    """

    scores: Tensor

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.register_buffer("scores", torch.zeros(outputs, dtype=torch.float64))

    def forward(self, features: Shaped[Tensor, "rows features"]) -> Float64[Tensor, "rows outputs"]:
        """Return the scores once a row."""
        return self.scores.expand(len(features), -1)
