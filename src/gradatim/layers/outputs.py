"""Scores to answers: `Logits` for categories, `Quantities` for numbers in their units."""

import torch
from jaxtyping import Float, Float64, Int64, Shaped
from torch import Tensor, nn

from gradatim.core.signature import Category, Signature

__all__ = ["Logits", "Quantities", "output_for"]


class Logits(nn.Module):
    """Multiply scores by one positive number, so that their softmax is honest.

    1 for models that are trained on the likelihood; solvers set it from held-out scores
    (`ops.calibration.temperature`). The order of the classes never changes.
    """

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones((), dtype=torch.float64))

    def fit(self, targets: Int64[Tensor, " rows"]) -> "Logits":
        """Learn nothing: categories need no scale of their own."""
        return self

    def encode(self, targets: Int64[Tensor, " rows"]) -> Int64[Tensor, " rows"]:
        """Return the targets as the network sees them."""
        return targets

    def forward(self, scores: Float[Tensor, "rows classes"]) -> Float[Tensor, "rows classes"]:
        """Return logits."""
        return scores * self.scale.to(scores.dtype)


class Quantities(nn.Module):
    """Turn standardised answers back into the units of the training targets."""

    mean: Tensor
    scale: Tensor

    def __init__(self, quantities: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(quantities, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(quantities, dtype=torch.float64))

    def fit(self, targets: Float64[Tensor, "rows quantities"]) -> "Quantities":
        """Learn mean and standard deviation; a constant target keeps scale 1."""
        largest = targets.abs().amax(0).clamp_min(torch.finfo(torch.float64).tiny)
        spread = (targets / largest).std(0, correction=0)
        varies = spread > 64 * torch.finfo(torch.float64).eps
        self.mean.copy_((targets / largest).mean(0) * largest)
        self.scale.copy_(torch.where(varies, spread * largest, 1.0))
        return self

    def encode(
        self, targets: Float64[Tensor, "rows quantities"]
    ) -> Float64[Tensor, "rows quantities"]:
        """Return the targets as the network sees them: mean 0, deviation 1."""
        return (targets - self.mean) / self.scale

    def forward(
        self, scores: Shaped[Tensor, "rows quantities"]
    ) -> Float64[Tensor, "rows quantities"]:
        """Return quantities in the units of the data."""
        return scores.double() * self.scale + self.mean


def output_for(signature: Signature) -> Logits | Quantities:
    """Return the output that fits what the signature asks for."""
    if isinstance(signature.output, Category):
        return Logits()
    return Quantities(signature.outputs)
