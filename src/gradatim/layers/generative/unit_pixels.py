"""`UnitPixels` and `Levels`: pictures as rows of numbers from 0 to 1, and back."""

import torch
from jaxtyping import Float, Float32, Shaped, UInt8
from torch import Tensor, nn

from gradatim.core.signature import Image

__all__ = ["Levels", "UnitPixels"]


class UnitPixels(nn.Module):
    """x / (levels - 1) as flat rows: 0 is the darkest level, 1 the brightest.

    Args:
        image: the pictures.
        levels: of a pixel.
    """

    def __init__(self, image: Image, levels: int) -> None:
        super().__init__()
        self.brightest = levels - 1
        self.features = image.channels * image.height * image.width

    def fit(self, pictures: Shaped[Tensor, "rows channels height width"]) -> "UnitPixels":
        """Learn nothing: the signature says how many levels there are."""
        return self

    def forward(
        self, pictures: Shaped[Tensor, "rows channels height width"]
    ) -> Float32[Tensor, "rows features"]:
        """Return rows of numbers."""
        return pictures.to(torch.float32).flatten(1) / self.brightest


class Levels(nn.Module):
    """Numbers from 0 to 1 -> pictures in whole levels.

    Args:
        image: the pictures.
        levels: of a pixel.
    """

    def __init__(self, image: Image, levels: int) -> None:
        super().__init__()
        self.brightest = levels - 1
        self.shape = (image.channels, image.height, image.width)

    def fit(self, targets: Tensor) -> "Levels":
        """Learn nothing."""
        return self

    def encode(self, targets: Tensor) -> Tensor:
        """Return the classes as they are."""
        return targets

    def forward(
        self, rows: Float[Tensor, "rows features"]
    ) -> UInt8[Tensor, "rows channels height width"]:
        """Return pictures; brightness beyond the scale is cut off."""
        levels = (rows * self.brightest).round().clamp(0, self.brightest)
        return levels.to(torch.uint8).unflatten(1, self.shape)
