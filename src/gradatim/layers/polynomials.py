"""Powers of features: one column in an orthogonal basis, several as products."""

import torch
from jaxtyping import Float64
from torch import Tensor, nn

from gradatim.ops.polynomials import evaluate_basis, monomial_steps, orthogonal_basis

__all__ = ["Monomials", "OrthogonalPolynomials"]


class OrthogonalPolynomials(nn.Module):
    """Turn one column into polynomials of degree 1..M that are orthogonal on the training rows.

    Args:
        degree: M.
    """

    hessenberg: Tensor

    def __init__(self, degree: int) -> None:
        super().__init__()
        self.terms = degree
        self.register_buffer("hessenberg", torch.zeros(degree + 1, degree, dtype=torch.float64))

    def fit(self, column: Float64[Tensor, "rows 1"]) -> "OrthogonalPolynomials":
        """Learn the recurrence that makes the basis."""
        self.hessenberg.copy_(orthogonal_basis(column[:, 0], self.terms)[1])
        return self

    def forward(self, column: Float64[Tensor, "rows 1"]) -> Float64[Tensor, "rows terms"]:
        """Return the polynomials; the constant is left to an intercept."""
        return evaluate_basis(column[:, 0], self.hessenberg)[:, 1:]


class Monomials(nn.Module):
    """Turn columns into their products: all up to degree `cross`, powers alone up to `degree`.

    Args:
        binary: for each column, is it 0/1? Such a column is its own square.
        degree: the highest.
        cross: the highest degree with mixed products.
    """

    def __init__(self, binary: list[bool], degree: int, cross: int) -> None:
        super().__init__()
        self.steps = monomial_steps(binary, degree, cross)
        self.terms = len(binary) + sum(len(places) for places, _ in self.steps)

    def fit(self, columns: Float64[Tensor, "rows columns"]) -> "Monomials":
        """Learn nothing: which products there are is known before the data."""
        return self

    def forward(self, columns: Float64[Tensor, "rows columns"]) -> Float64[Tensor, "rows terms"]:
        """Return the products, degree after degree."""
        blocks = [columns]
        for places, factors in self.steps:
            blocks.append(blocks[-1][:, places] * columns[:, factors])
        return torch.cat(blocks, dim=1)
