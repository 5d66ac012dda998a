"""Cutout: a square of each picture is blanked, so that no single part decides."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

__all__ = ["blanked"]


def blanked(
    pictures: Float[Tensor, "rows channels height width"],
    top: Int64[Tensor, " rows"],
    left: Int64[Tensor, " rows"],
    side: int,
) -> Float[Tensor, "rows channels height width"]:
    """Return the batch with 0, the mean of a channel, in a square of each picture.

    Args:
        pictures: standardised.
        top: the square's first row of pixels; it may begin above the picture and end below.
        left: its first column.
        side: in pixels.

    Source: DeVries & Taylor 2017, "Improved regularization of convolutional neural networks with
        cutout".
    """
    y, x = torch.arange(pictures.shape[2]), torch.arange(pictures.shape[3])
    in_rows = (y >= top[:, None]) & (y < top[:, None] + side)
    in_columns = (x >= left[:, None]) & (x < left[:, None] + side)
    square = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    return pictures.masked_fill(square, 0.0)
