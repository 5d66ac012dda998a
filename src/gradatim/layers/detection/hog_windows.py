"""Windows of several shapes over whole pictures, judged by the edges and colours in them."""

from collections.abc import Iterator

import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.layers.detection.candidate_boxes import moved
from gradatim.layers.hog import hog

__all__ = ["HogWindows", "View"]

_BLOCK = 36  # numbers of a block of 2 x 2 cells with nine directions
_MARGIN = 2  # cells that windows may reach beyond the picture
_ENLARGED = 3  # times that a picture is enlarged at most, for the smallest windows
_CANDIDATES = 300  # windows of a class that go on to be thinned out


class View:
    """One picture, seen so that windows of one shape are squares of whole cells.

    Args:
        planes: the picture.
        shape: width and height of the window, as shares of the picture.
        cells: along a window.
        cell: pixels along a cell.
    """

    def __init__(
        self, planes: Float32[Tensor, "channels height width"], shape: Tensor, cells: int, cell: int
    ) -> None:
        least, own = cells * cell, (planes.shape[2], planes.shape[1])
        # A shape too small to be seen so large gets a window that is larger than the shape.
        width, height = (
            max(least, min(_ENLARGED * n, round(least / share)))
            for n, share in zip(own, shape.tolist(), strict=True)
        )
        seen = F.interpolate(planes[None], (height, width), mode="bilinear", antialias=True)
        seen = F.pad(seen, (_MARGIN * cell,) * 4, mode="replicate")
        down, across = (n // cell for n in seen.shape[2:])
        self.edges = hog(seen, cell).reshape(1, down - 1, across - 1, _BLOCK).permute(0, 3, 1, 2)
        self.levels = F.avg_pool2d(seen, cell)
        self.cells = cells
        rows, columns = torch.meshgrid(
            torch.arange(down - cells + 1), torch.arange(across - cells + 1), indexing="ij"
        )
        corners = (torch.stack([columns, rows], 2).reshape(-1, 2).double() - _MARGIN) * cell
        extent = torch.tensor([width, height], dtype=torch.float64)
        self.boxes = torch.cat([corners / extent, (corners + cells * cell) / extent], dim=1)

    def __len__(self) -> int:
        return len(self.boxes)

    def features(self, windows: Int64[Tensor, " windows"]) -> Float32[Tensor, "windows features"]:
        """Return what is seen in some windows: their blocks, then their cells' levels."""
        n = self.cells
        edges = self.edges[0].unfold(1, n - 1, 1).unfold(2, n - 1, 1)
        levels = self.levels[0].unfold(1, n, 1).unfold(2, n, 1)
        parts = [part.permute(1, 2, 0, 3, 4).flatten(0, 1)[windows] for part in (edges, levels)]
        return torch.cat([part.flatten(1) for part in parts], dim=1)


class HogWindows(nn.Module):
    """A linear machine for each class, and a linear move of the box, on all windows.

    s_c(x) = w_c'x + b_ck for a window of shape k: convolutions of the maps of blocks and cells, for
    the features of neighbouring windows overlap. The confidence is 1 / (1 + e^-s).

    Args:
        channels: of the planes.
        classes: names that boxes may have.
        shapes: of windows.
        cells: along a window.
        cell: pixels along a cell.

    Source:
        Dalal & Triggs 2005; Dollar et al. 2009, "Integral channel features" (levels).
    """

    shapes: Tensor
    weights: Tensor
    bias: Tensor

    def __init__(self, channels: int, classes: int, shapes: int, cells: int, cell: int) -> None:
        super().__init__()
        self.channels, self.classes, self.cells, self.cell = channels, classes, cells, cell
        self.blocks = _BLOCK * (cells - 1) ** 2
        self.features = self.blocks + channels * cells**2
        # In front of the moves stand the scores of the classes.
        self.register_buffer("shapes", torch.ones(shapes, 2))
        self.register_buffer("weights", torch.zeros(classes + 4, self.features))
        self.register_buffer("bias", torch.zeros(shapes, classes + 4))

    def views(self, planes: Float32[Tensor, "channels height width"]) -> Iterator[View]:
        """Yield the picture as the windows of each shape see it."""
        for shape in self.shapes:
            yield View(planes, shape, self.cells, self.cell)

    def judged(
        self, view: View, shape: int
    ) -> tuple[Float64[Tensor, "windows 4"], Float32[Tensor, "windows classes"]]:
        """Return the moved boxes and the scores of all windows of a shape."""
        n, width = self.cells, self.classes + 4
        edges = self.weights[:, : self.blocks].reshape(width, _BLOCK, n - 1, n - 1)
        levels = self.weights[:, self.blocks :].reshape(width, self.channels, n, n)
        maps = F.conv2d(view.edges, edges) + F.conv2d(view.levels, levels)
        numbers = maps[0].flatten(1).T + self.bias[shape]
        scores, moves = numbers.split([self.classes, 4], dim=1)
        return moved(view.boxes, moves.double()).clamp(0, 1), scores

    def found(
        self, planes: Float32[Tensor, "channels height width"]
    ) -> Float64[Tensor, "candidates 6"]:
        """Return box, score and class of the best windows of one picture."""
        parts = [self.judged(view, k) for k, view in enumerate(self.views(planes))]
        boxes, scores = (torch.cat(part) for part in zip(*parts, strict=True))
        best = scores.topk(min(_CANDIDATES, len(scores)), dim=0)
        names = torch.arange(self.classes).expand_as(best.values)
        columns = [best.values.flatten()[:, None], names.flatten()[:, None]]
        return torch.cat([boxes[best.indices.flatten()], *columns], dim=1)

    def forward(
        self, planes: Float32[Tensor, "rows channels height width"]
    ) -> Float64[Tensor, "rows candidates 6"]:
        """Return box, confidence and class of the best windows of every picture."""
        found = torch.stack([self.found(picture) for picture in planes])
        boxes, scores, names = found.split([4, 1, 1], dim=2)
        return torch.cat([boxes, scores.sigmoid(), names], dim=2)
