"""Squares cut at random from pictures, with what lies on them."""

import torch
from jaxtyping import Int64
from torch import Tensor

from gradatim.core.samples import Samples

__all__ = ["cut"]


def cut(
    samples: Samples, rows: Int64[Tensor, " rows"], side: int, chance: torch.Generator
) -> Samples:
    """Return a square of each of these rows, at a place of its own.

    The places are those at which the square lies within the picture, or at its upper left corner
    where the picture is smaller than the square.

    Args:
        samples: pictures (rows, channels, height, width) with targets of the same height and width.
        rows: to cut from; a row may come more than once.
        side: of the squares, at most that of the canvas.
        chance: the generator of this step.
    """
    canvas = torch.tensor(samples.inputs.shape[2:])
    sizes = canvas.expand(len(samples), 2) if samples.sizes is None else samples.sizes
    free = (sizes[rows] - side).clamp_min(0) + 1
    corners = (torch.rand(len(rows), 2, generator=chance) * free).long()
    squares = [
        (row, slice(y, y + side), slice(x, x + side))
        for row, (y, x) in zip(rows.tolist(), corners.tolist(), strict=True)
    ]
    return Samples(
        torch.stack([samples.inputs[row, :, down, across] for row, down, across in squares]),
        torch.stack([samples.targets[row, ..., down, across] for row, down, across in squares]),
        numbers=rows if samples.numbers is None else samples.numbers[rows],
    )
