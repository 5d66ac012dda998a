"""Pictures cut into tiles of 4 x 4 pixels, so that those of several moments lie side by side.

A convolution of 8 x 8 pixels that goes on by 4 is one of 2 x 2 tiles that goes on by 1. What it
reads at a place is then one piece of memory, and moving a tile costs as much as moving a pixel:
a batch is made out of remembered pictures in a sixth of the time.
"""

import torch
from jaxtyping import UInt8
from torch import Tensor

__all__ = ["SIDE", "tiled", "woven"]

SIDE = 4
"""Pixels of a tile along each side."""


def tiled(
    pictures: UInt8[Tensor, "*rows height width"],
) -> UInt8[Tensor, "*rows down across pixels"]:
    """Return tiles, each with its pixels line by line; what is left at the far edges goes.

    >>> tiled(torch.arange(32, dtype=torch.uint8).view(4, 8))[0, 1].tolist()
    [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]
    """
    *rows, height, width = pictures.shape
    down, across = height // SIDE, width // SIDE
    whole = pictures[..., : down * SIDE, : across * SIDE].reshape(-1)
    # A line of a tile is four bytes: they are moved as one number.
    lines = whole.view(torch.int32).view(*rows, down, SIDE, across).transpose(-1, -2)
    return lines.reshape(-1).view(torch.uint8).view(*rows, down, across, SIDE**2)


def woven(
    tiles: UInt8[Tensor, "rows pictures down across pixels"],
) -> UInt8[Tensor, "rows channels down across"]:
    """Return pictures as `torch.nn.functional.pixel_unshuffle` has them, with the channels last.

    >>> pictures = torch.randint(256, (2, 3, 8, 12), dtype=torch.uint8)
    >>> torch.equal(woven(tiled(pictures)), torch.nn.functional.pixel_unshuffle(pictures, SIDE))
    True
    """
    rows, pictures, down, across, pixels = tiles.shape
    # A tile is sixteen bytes: they are moved as one number.
    numbers = tiles.reshape(-1).view(torch.complex128).view(rows, pictures, down, across)
    beside = numbers.permute(0, 2, 3, 1).reshape(-1).view(torch.uint8)
    return beside.view(rows, down, across, pictures * pixels).permute(0, 3, 1, 2)
