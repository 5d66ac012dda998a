"""`Pixels`: stored pictures to standardised planes, resized to what a network wants."""

import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.signature import Image

__all__ = ["Pixels"]


class Pixels(nn.Module):
    """Scale uint8 to [0, 1], resize, then (x - mean) / standard deviation of each channel.

    Mean and deviation are those of the training fold. Resizing is bilinear without antialiasing
    when it enlarges and with it when it shrinks.

    Args:
        image: the pictures, as the signature has them.
        size: height and width wanted; None keeps the picture's own.
        flat: return (rows, channels * height * width), for rungs that see a row of numbers.
        dtype: of the result; networks take float32, solvers float64.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        image: Image,
        size: tuple[int, int] | None = None,
        *,
        flat: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        own = (image.height, image.width)
        self.size, self.flat, self.dtype = size or own, flat, dtype
        self.resizes = self.size != own
        self.shrinks = self.size[0] < own[0] or self.size[1] < own[1]
        self.features = image.channels * self.size[0] * self.size[1]
        self.register_buffer("mean", torch.zeros(image.channels, 1, 1))
        self.register_buffer("deviation", torch.ones(image.channels, 1, 1))

    def fit(self, pictures: UInt8[Tensor, "rows channels height width"]) -> "Pixels":
        """Learn the mean and the deviation of each channel, from exact integer counts."""
        channels = pictures.transpose(0, 1).flatten(1)
        levels = torch.arange(256, dtype=torch.float64) / 255
        for channel, values in enumerate(channels):
            share = torch.bincount(values, minlength=256).double() / values.numel()
            mean = (share * levels).sum()
            variance = (share * (levels - mean) ** 2).sum()
            self.mean[channel] = mean
            self.deviation[channel] = variance.sqrt() if variance > 0 else 1.0
        return self

    def forward(
        self, pictures: UInt8[Tensor, "rows channels height width"]
    ) -> Float[Tensor, "rows *features"]:
        """Return standardised planes, or rows of numbers when `flat`."""
        planes = self._sized(pictures.to(torch.float32) / 255)
        planes = ((planes - self.mean) / self.deviation).to(self.dtype)
        return planes.flatten(1) if self.flat else planes

    def _sized(
        self, planes: Float[Tensor, "rows channels height width"]
    ) -> Float[Tensor, "rows channels high wide"]:
        if not self.resizes:
            return planes
        return F.interpolate(
            planes, self.size, mode="bilinear", align_corners=False, antialias=self.shrinks
        )

    # --- the same in two parts: what is linear can become part of the layer that follows ---

    def levels(
        self, planes: Float[Tensor, "rows channels height width"]
    ) -> Float[Tensor, "rows *features"]:
        """Return stored levels, 0 to 255, in the size and the form that are wanted."""
        planes = self._sized(planes)
        return planes.flatten(1) if self.flat else planes

    def line(self) -> tuple[Float64[Tensor, " channels"], Float64[Tensor, " channels"]]:
        """Return factor and shift of each channel: `forward` is factor * levels + shift."""
        factor = 1 / (255 * self.deviation.double().flatten())
        return factor, -self.mean.double().flatten() / self.deviation.double().flatten()
