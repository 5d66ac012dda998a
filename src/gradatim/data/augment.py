"""Changes to training pictures that keep their meaning, as batched tensor operations."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.recipe import Augmentation

__all__ = ["augment"]


def augment(
    pictures: Float[Tensor, "rows channels height width"],
    changes: Augmentation,
    chance: torch.Generator,
) -> Float[Tensor, "rows channels height width"]:
    """Return the batch, each picture moved and mirrored on its own.

    Args:
        pictures: standardised, so that the 0 moved in at the edge is the mean of the channel.
        changes: what may happen.
        chance: the generator of this step.
    """
    if changes.flip:
        mirrored = torch.rand(len(pictures), generator=chance) < 0.5
        pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
    return _shift(pictures, changes.shift, chance) if changes.shift else pictures


def _shift(pictures: Tensor, most: int, chance: torch.Generator) -> Tensor:
    rows, channels, height, width = pictures.shape
    padded = F.pad(pictures, [most] * 4)
    down, right = torch.randint(2 * most + 1, (2, rows, 1), generator=chance)
    y = (down + torch.arange(height))[:, None, :, None]
    x = (right + torch.arange(width))[:, None, None, :]
    picture = torch.arange(rows)[:, None, None, None]
    return padded[picture, torch.arange(channels)[:, None, None], y, x]
