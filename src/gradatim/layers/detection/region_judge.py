"""Regions to candidates: what each is, and where its box should have been."""

import torch
from jaxtyping import Float64
from torch import Tensor, nn

from gradatim.layers.detection.candidate_boxes import moved

__all__ = ["RegionJudge"]


class RegionJudge(nn.Module):
    """A softmax over the classes and nothing, and a linear move of the box.

    p(c | x) = softmax(W'x + b)_c with nothing as the last class; the box moves by M'x + m.

    Args:
        features: of a region.
        classes: names that boxes may have.
    """

    weights: Tensor
    bias: Tensor
    moves: Tensor
    shift: Tensor

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.features = features
        shapes = {"weights": (features, classes + 1), "bias": (classes + 1,)}
        for name, shape in {**shapes, "moves": (features, 4), "shift": (4,)}.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    def boxes(self, regions: Float64[Tensor, "regions numbers"]) -> Float64[Tensor, "regions 4"]:
        """Return the moved boxes, cut at the border."""
        moves = regions[:, 4:] @ self.moves + self.shift
        return moved(regions[:, :4], moves).clamp(0, 1)

    def forward(
        self, regions: Float64[Tensor, "rows regions numbers"]
    ) -> Float64[Tensor, "rows regions 6"]:
        """Return box, probability and number of the most probable class of each region."""
        flat = regions.flatten(0, 1)
        chances = (flat[:, 4:] @ self.weights + self.bias).softmax(1)[:, :-1]
        confidence, name = chances.max(1, keepdim=True)
        found = torch.cat([self.boxes(flat), confidence, name.double()], dim=1)
        # A row of -1 is no region.
        return torch.where(flat[:, :1] >= 0, found, -1.0).unflatten(0, regions.shape[:2])
