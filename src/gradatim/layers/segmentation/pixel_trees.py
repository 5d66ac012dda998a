"""Trees that decide about a pixel from what was measured around it."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from gradatim.layers.segmentation.scale_space import ScaleSpace
from gradatim.layers.trees import Trees

__all__ = ["PixelTrees"]


class PixelTrees(nn.Module):
    """Features of every pixel, a sum of trees on them, then a score a class.

    score_c = sum_j W_cj f_j + b_c: with two classes one sum of trees is half for one class and half
    against the other; with more, each has its own. One picture is worked on at a time: its features
    take many times the memory of its pixels.

    Args:
        space: measures what is around a pixel.
        trees: features -> sums.
        classes: how many scores a pixel gets.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, space: ScaleSpace, trees: Trees, classes: int) -> None:
        super().__init__()
        self.space, self.trees = space, trees
        self.register_buffer("weight", torch.zeros(classes, trees.outputs, dtype=torch.float64))
        self.register_buffer("bias", torch.zeros(classes, dtype=torch.float64))

    def forward(
        self, levels: Float[Tensor, "rows channels height width"]
    ) -> Float64[Tensor, "rows classes height width"]:
        """Return the scores of every pixel."""
        return torch.cat([self._scores(picture) for picture in levels.split(1)])

    def _scores(self, picture: Tensor) -> Tensor:
        features = self.space(picture)[0].flatten(1).T.contiguous()
        scores = self.trees(features) @ self.weight.T + self.bias
        return scores.T.unflatten(1, picture.shape[2:])[None]
