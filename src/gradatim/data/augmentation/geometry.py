"""Moving, mirroring, turning and cropping pictures, each picture by its own amount."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional as F

__all__ = ["cropped", "mirrored", "rotated", "shifted"]

Pictures = Float[Tensor, "rows channels height width"]


def mirrored(pictures: Pictures, chosen: Bool[Tensor, " rows"]) -> Pictures:
    """Return the batch with the chosen pictures mirrored left to right."""
    return torch.where(chosen[:, None, None, None], pictures.flip(3), pictures)


def shifted(
    pictures: Pictures, down: Int64[Tensor, " rows"], right: Int64[Tensor, " rows"]
) -> Pictures:
    """Return the batch, each picture moved by whole pixels; 0 moves in at the edge.

    Args:
        pictures: standardised, so that 0 is the mean of the channel.
        down: pixels, negative for up.
        right: pixels, negative for left.
    """
    rows, channels, height, width = pictures.shape
    most = int(torch.stack([down, right]).abs().max())
    padded = F.pad(pictures, [most] * 4).contiguous()
    high, wide = padded.shape[2:]
    plane = high * wide * torch.arange(rows * channels).view(rows, channels, 1)
    y = most - down[:, None] + torch.arange(height)
    begin = plane + (wide * y + most - right[:, None])[:, None]
    # A line of a moved picture is a run of numbers in memory. To choose among all runs of that
    # length takes a fifth of the time that choosing number by number does.
    runs = padded.as_strided((padded.numel() - width + 1, width), (1, 1))
    return runs[begin]


def rotated(pictures: Pictures, degrees: Float[Tensor, " rows"]) -> Pictures:
    """Return the batch, each picture turned counter-clockwise around its middle, bilinearly.

    Args:
        pictures: standardised; 0 comes in at the corners.
        degrees: of the turn, each picture's own.
    """
    height, width = pictures.shape[2:]
    angle = degrees.to(pictures.dtype).deg2rad()
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # Coordinates run from -1 to 1 along each side, whatever its length in pixels.
    to_x = torch.stack([cos, -sin * height / width, zero], 1)
    to_y = torch.stack([sin * width / height, cos, zero], 1)
    return _sampled(pictures, torch.stack([to_x, to_y], 1))


def cropped(
    pictures: Pictures,
    kept: Float[Tensor, " rows"],
    left: Float[Tensor, " rows"],
    top: Float[Tensor, " rows"],
) -> Pictures:
    """Return the batch, a part of each picture enlarged to the whole, bilinearly.

    Args:
        pictures: the batch.
        kept: share of each side that stays, in (0, 1].
        left: where the part lies between the left edge (0) and the right one (1).
        top: the same from top to bottom.

    Source: Szegedy et al. 2015, section 6, where the part also changes its proportions.
    """
    kept, left, top = (part.to(pictures.dtype) for part in (kept, left, top))
    zero, free = torch.zeros_like(kept), 1 - kept
    to_x = torch.stack([kept, zero, free * (2 * left - 1)], 1)
    to_y = torch.stack([zero, kept, free * (2 * top - 1)], 1)
    return _sampled(pictures, torch.stack([to_x, to_y], 1))


def _sampled(pictures: Tensor, transformation: Tensor) -> Tensor:
    places = F.affine_grid(transformation, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, places, align_corners=False)
