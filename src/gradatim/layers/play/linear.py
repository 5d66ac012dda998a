"""Values of actions that are linear in features: one number a cell, or products of what is seen."""

from math import prod

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

__all__ = ["Products", "Table"]


class Table(nn.Module):
    """One value a cell and action: what is seen is cut into `cells` parts along every axis.

    Args:
        numbers: that are seen, most of them in [-1, 1]; the outer cells go on.
        cells: parts of each axis.
        actions: to value.

    Source: Watkins 1989, "Learning from delayed rewards".
    """

    strides: Tensor

    def __init__(self, numbers: int, cells: int, actions: int) -> None:
        super().__init__()
        self.cells = cells
        self.register_buffer("strides", torch.tensor([cells**i for i in range(numbers)]))
        self.values = nn.Parameter(torch.zeros(cells**numbers, actions))

    def places(self, seen: Float[Tensor, "rows numbers"]) -> Int64[Tensor, " rows"]:
        """Return the cell of each row."""
        along = ((seen + 1) * (self.cells / 2)).clamp(0, self.cells - 1)
        return (along.long() * self.strides).sum(1)

    def forward(self, seen: Float[Tensor, "rows numbers"]) -> Float[Tensor, "rows actions"]:
        """Return the values of the actions in each row's cell."""
        return self.values[self.places(seen)]


class Products(nn.Module):
    """1, what is seen, and of few numbers their squares and products too, times weights.

    Planes are taken square by square.

    Args:
        shape: of what is seen.
        actions: to value.

    Source: Sutton & Barto 2018, "Reinforcement learning", section 9.5.1.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, shape: tuple[int, ...], actions: int) -> None:
        super().__init__()
        numbers = prod(shape)
        pairs = torch.triu_indices(numbers, numbers) if len(shape) == 1 else torch.empty(2, 0)
        self.register_buffer("rows", pairs[0].long())
        self.register_buffer("columns", pairs[1].long())
        self.weights = nn.Linear(numbers + pairs.shape[1], actions)

    def forward(self, seen: Float[Tensor, "rows ..."]) -> Float[Tensor, "rows actions"]:
        """Return the values of the actions."""
        flat = seen.flatten(1)
        products = flat[:, self.rows] * flat[:, self.columns]
        values: Tensor = self.weights(torch.cat([flat, products], 1))
        return values
