"""Decision trees as tensors: all rows walk down all trees at once."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor, nn

from gradatim.layers.blocks import in_blocks

__all__ = ["Trees"]


class Trees(nn.Module):
    """A sum of regression trees: f_k(x) = b_k + sum_r leaf_rk(x).

    In each step every row goes left in each tree where its number is at most the threshold (or
    missing, where the tree sends missing numbers left), else right; a leaf leads to itself.

    Args:
        rounds: trees for each output.
        outputs: numbers for each row.
        nodes: of the largest tree; smaller ones are padded.
        depth: steps from the root to the deepest leaf.
    """

    feature: Tensor
    threshold: Tensor
    missing_left: Tensor
    left: Tensor
    right: Tensor
    value: Tensor
    bias: Tensor

    def __init__(self, rounds: int, outputs: int, nodes: int, depth: int) -> None:
        super().__init__()
        self.rounds, self.outputs, self.depth = rounds, outputs, depth
        shape = (rounds, outputs, nodes)
        for name in ("feature", "left", "right"):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.int64))
        for name in ("threshold", "value"):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("missing_left", torch.zeros(shape, dtype=torch.bool))
        self.register_buffer("bias", torch.zeros(outputs, dtype=torch.float64))

    def plant(self, at: int, output: int, nodes: Sequence[np.ndarray], factor: float = 1.0) -> None:
        """Fill in one tree.

        Args:
            at: its round.
            output: the number it adds to.
            nodes: for each node its feature, threshold, whether missing goes left, left child,
                right child, value, whether it is a leaf; the root first.
            factor: of the values.
        """
        names = ("feature", "threshold", "missing_left", "left", "right", "value")
        leaf, size = nodes[-1].astype(bool), len(nodes[0])
        for name, numbers in zip(names, nodes, strict=False):
            buffer = getattr(self, name)[at, output, :size]
            buffer.copy_(torch.from_numpy(numbers.astype(np.float64)))
        here = torch.arange(size)
        stays = torch.from_numpy(leaf)
        for children in (self.left, self.right):
            kept = children[at, output, :size]
            kept.copy_(torch.where(stays, here, kept))
        self.value[at, output, :size] *= factor

    def forward(self, x: Float64[Tensor, "rows features"]) -> Float64[Tensor, "rows outputs"]:
        """Return the sum for each row."""
        return in_blocks(self._walk, x, per_row=4 * self.rounds * self.outputs)

    def _walk(self, x: Tensor) -> Tensor:
        trees, nodes = self.rounds * self.outputs, self.value.shape[2]
        start = torch.arange(trees, device=x.device) * nodes
        at = start.expand(len(x), trees)
        for _ in range(self.depth):
            cell = x.gather(1, self.feature.flatten()[at])
            low = cell <= self.threshold.flatten()[at]
            goes_left = low | (cell.isnan() & self.missing_left.flatten()[at])
            child = torch.where(goes_left, self.left.flatten()[at], self.right.flatten()[at])
            at = start + child
        leaves = self.value.flatten()[at].unflatten(1, (self.rounds, self.outputs))
        return self.bias + leaves.sum(1)
