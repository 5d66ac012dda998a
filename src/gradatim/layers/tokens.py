"""Rows of a table as sentences: each column is a token."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gradatim.layers.columns import Columns

__all__ = ["ColumnTokens"]


class ColumnTokens(nn.Module):
    """token_j = sum over the features i of column j of x_i w_i, plus b_j.

    A numeric column gives x_j w_j + b_j. Of a category one indicator is 1, so the sum is the
    embedding of its value.

    Args:
        columns: the preprocessing, which says which features a column has.
        dim: of a token.

    Source: Gorishniy, Rubachev, Khrulkov & Babenko 2021, section 3.3.

    Deviations: dates and marks of missing cells are features as well; a value that was not seen in
    training gives b_j alone.
    """

    def __init__(self, columns: Columns, dim: int) -> None:
        super().__init__()
        self.owners, bound = columns.owners, dim**-0.5
        self.count = 1 + max(self.owners)
        self.weight = nn.Parameter(torch.empty(columns.features, dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(self.count, dim).uniform_(-bound, bound))

    def forward(self, x: Float[Tensor, "rows features"]) -> Float[Tensor, "rows columns dim"]:
        """Return one token a column."""
        owners = torch.tensor(self.owners, device=x.device)
        parts = x[:, :, None] * self.weight
        return self.bias.expand(len(x), -1, -1).index_add(1, owners, parts)
