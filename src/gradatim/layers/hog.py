"""Histograms of oriented gradients: where edges point, in cells small enough to say where."""

import math

import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.signature import Image
from gradatim.layers.blocks import in_blocks

__all__ = ["HogFeatures", "hog"]

_EPS = 1e-5
_CLIP = 0.2
_FLAT = 1e-60  # squared gradient of an even area: the slope of its root stays finite


def hog(
    planes: Float[Tensor, "rows channels height width"],
    cell: int,
    block: int = 2,
    orientations: int = 9,
) -> Float[Tensor, "rows features"]:
    """Return the histograms of oriented gradients of pictures.

    Central differences (0 at the border) of the channel with the strongest edge; each pixel votes
    with its gradient's size for one of `orientations` directions in [0, 180) degrees of its cell;
    blocks of block x block cells are normalised together: v / sqrt(|v|^2 + e^2), cut at 0.2, again.

    Args:
        planes: in any range; the result hardly depends on contrast.
        cell: side of a cell in pixels; pixels beyond the last whole cell are not seen.
        block: side of a block in cells.
        orientations: directions told apart.

    Returns:
        Block rows, block columns, cell rows, cell columns, orientations, flattened in that order.

    Source:
        Dalal & Triggs 2005, "Histograms of oriented gradients for human detection".

    Deviations:
        As scikit-image's `hog`: a pixel votes for one cell and direction alone, no Gaussian window.

    >>> stripes = torch.eye(16, dtype=torch.float64)[None, None]
    >>> hog(stripes, cell=8).shape  # one block of four cells with nine directions
    torch.Size([1, 36])
    """
    down, right = _gradient(planes)
    size = (down.square() + right.square()).clamp_min(_FLAT).sqrt()
    bins = _bins(down, right, orientations)
    votes = [torch.where(bins == k, size, 0.0) for k in range(orientations)]
    across, along = size.shape[1] // cell, size.shape[2] // cell
    whole = torch.stack(votes, dim=1)[:, :, : across * cell, : along * cell]
    cells = whole.unflatten(3, (along, cell)).unflatten(2, (across, cell)).mean((3, 5))
    blocks = cells.unfold(2, block, 1).unfold(3, block, 1).permute(0, 2, 3, 4, 5, 1)
    flat = blocks.flatten(3)
    flat = (flat / (flat.square().sum(-1, keepdim=True) + _EPS**2).sqrt()).clamp_max(_CLIP)
    flat = flat / (flat.square().sum(-1, keepdim=True) + _EPS**2).sqrt()
    return flat.flatten(1)


def _gradient(planes: Tensor) -> tuple[Tensor, Tensor]:
    """Return differences down and to the right, of the channel where they are largest."""
    down = F.pad(planes[:, :, 2:] - planes[:, :, :-2], (0, 0, 1, 1))
    right = F.pad(planes[..., 2:] - planes[..., :-2], (1, 1))
    strongest = (down.square() + right.square()).argmax(1, keepdim=True)
    return down.gather(1, strongest)[:, 0], right.gather(1, strongest)[:, 0]


def _bins(down: Tensor, right: Tensor, orientations: int) -> Tensor:
    """Return floor(angle / step) of the angle in [0, 180): how many edges it is not below.

    With the gradient turned to point down, angle >= edge where down cos(edge) >= right sin(edge);
    so no arctangent is needed, which not every runtime has in float64.
    """
    up = (down < 0) | ((down == 0) & (right < 0))
    down, right = torch.where(up, -down, down), torch.where(up, -right, right)
    edges = [math.pi * j / orientations for j in range(1, orientations)]
    passed = [down * math.cos(edge) >= right * math.sin(edge) for edge in edges]
    # No gradient has no direction: it would pass every edge, and counts for none.
    return torch.stack(passed).sum(0) * ((down != 0) | (right != 0))


class HogFeatures(nn.Module):
    """Stored pictures to histograms of oriented gradients. It learns nothing.

    The long side is brought to a length between `smallest` and `largest` (bilinear) that holds
    about `cells` cells; the short side keeps the proportions and holds two cells at least.

    Args:
        image: the pictures, as the signature has them.
        cells: along the long side.
        smallest: pixels of the long side below which pictures are enlarged.
        largest: pixels of the long side above which pictures are shrunk.
    """

    def __init__(self, image: Image, cells: int = 7, smallest: int = 28, largest: int = 64) -> None:
        super().__init__()
        long = max(image.height, image.width)
        side = min(max(long, smallest), largest)
        self.cell = max(2, side // cells)
        sides = [round(s * side / long) for s in (image.height, image.width)]
        self.size = (max(sides[0], 2 * self.cell), max(sides[1], 2 * self.cell))
        self.resizes = self.size != (image.height, image.width)
        self.shrinks = side < long
        down, right = (s // self.cell - 1 for s in self.size)
        self.features = down * right * 36

    def fit(self, pictures: UInt8[Tensor, "rows channels height width"]) -> "HogFeatures":
        """Learn nothing."""
        return self

    def forward(
        self, pictures: UInt8[Tensor, "rows channels height width"]
    ) -> Float64[Tensor, "rows features"]:
        """Return one row of histograms a picture."""
        return in_blocks(self._histograms, pictures, per_row=24 * self.size[0] * self.size[1])

    def _histograms(self, pictures: Tensor) -> Tensor:
        planes = pictures.to(torch.float32) / 255
        if self.resizes:
            planes = F.interpolate(
                planes, self.size, mode="bilinear", align_corners=False, antialias=self.shrinks
            )
        return hog(planes.double(), self.cell)
