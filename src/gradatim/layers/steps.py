"""`Steps`: stored sequences to standardised ones, fitted on the training fold alone."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from gradatim.core.signature import Series

__all__ = ["Steps"]


class Steps(nn.Module):
    """(x - mean) / standard deviation of each channel, over all steps of the training fold.

    A channel that is constant in the training fold is switched off (0). A NaN becomes the mean.

    Args:
        series: the sequences, as the signature has them.
        flat: return (rows, steps * channels), for rungs that see a row of numbers.
        dtype: of the result; networks take float32, solvers float64.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, series: Series, *, flat: bool = False, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.flat, self.dtype = flat, dtype
        self.features = series.steps * series.channels
        self.register_buffer("mean", torch.zeros(series.channels, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(series.channels, dtype=torch.float64))

    def fit(self, sequences: Float64[Tensor, "rows steps channels"]) -> "Steps":
        """Learn the mean and the deviation of each channel."""
        values = sequences.flatten(0, 1)
        # Dividing by the largest entry first keeps squares of 1e200 finite.
        largest = values.abs().amax(0).clamp_min(torch.finfo(torch.float64).tiny)
        unit = values / largest
        spread = unit.std(0, correction=0)
        varies = spread > 64 * torch.finfo(torch.float64).eps
        self.mean.copy_(unit.mean(0) * largest)
        self.scale.copy_(torch.where(varies, 1 / (spread.clamp_min(1e-300) * largest), 0.0))
        self.scale.nan_to_num_(nan=0.0, posinf=0.0)
        return self

    def forward(
        self, sequences: Float64[Tensor, "rows steps channels"]
    ) -> Float[Tensor, "rows *features"]:
        """Return standardised sequences, or rows of numbers when `flat`."""
        scaled = ((sequences - self.mean) * self.scale).nan_to_num(nan=0.0).to(self.dtype)
        return scaled.flatten(1) if self.flat else scaled
