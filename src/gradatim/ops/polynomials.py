"""Polynomials: a basis that is orthogonal on the data, and products of many columns."""

from fractions import Fraction
from math import comb

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

__all__ = ["Step", "cross_degree", "evaluate_basis", "monomial_steps", "orthogonal_basis"]
__all__ += ["to_powers"]

Step = tuple[list[int], list[int]]


def orthogonal_basis(
    points: Float64[Tensor, " points"], degree: int
) -> tuple[Float64[Tensor, "points terms"], Float64[Tensor, "terms degree"]]:
    """Return polynomials of degree 0, 1, ... that are orthogonal on the points.

    q_0 = 1 and H_{k+1,k} q_{k+1} = x q_k - sum_{j<=k} H_{jk} q_j with q_j' q_k = n [j = k]. The
    powers 1, x, x^2, ... point ever more the same way; these do not.

    Args:
        points: where the polynomials are orthogonal; best of mean 0 and deviation near 1.
        degree: the highest, >= 0.

    Returns:
        The basis at the points and H, which defines it everywhere. A degree that the number of
        different points does not carry gives a column of zeros.

    Source: Brubeck, Nakatsukasa & Trefethen 2021, "Vandermonde with Arnoldi"; Forsythe 1957.

    >>> basis, _ = orthogonal_basis(torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64), 1)
    >>> (basis.T @ basis).round(decimals=9).tolist()
    [[3.0, 0.0], [0.0, 3.0]]
    """
    n = len(points)
    basis = points.new_zeros(n, degree + 1)
    basis[:, 0] = 1
    hessenberg = points.new_zeros(degree + 1, degree)
    for k in range(degree):
        known, column = basis[:, : k + 1], points * basis[:, k]
        size = column.norm()
        for _ in range(2):  # once is not enough: the second pass takes what rounding left
            share = known.T @ column / n
            hessenberg[: k + 1, k] += share
            column = column - known @ share
        norm = column.norm()
        carried = norm > 64 * torch.finfo(points.dtype).eps * n * size
        hessenberg[k + 1, k] = norm / n**0.5 if carried else 1.0
        basis[:, k + 1] = column / hessenberg[k + 1, k] if carried else 0.0
    return basis, hessenberg


def evaluate_basis(
    points: Float64[Tensor, " points"], hessenberg: Float64[Tensor, "terms degree"]
) -> Float64[Tensor, "points terms"]:
    """Return the polynomials that `orthogonal_basis` defined, at any points.

    Args:
        points: in the units of the points that the basis is orthogonal on.
        hessenberg: H, as `orthogonal_basis` returns it.

    Source: Brubeck, Nakatsukasa & Trefethen 2021.
    """
    columns = [torch.ones_like(points)]
    for k in range(hessenberg.shape[1]):
        known = torch.stack(columns, dim=1) @ hessenberg[: k + 1, k]
        columns.append((points * columns[k] - known) / hessenberg[k + 1, k])
    return torch.stack(columns, dim=1)


def to_powers(
    weights: Float64[Tensor, " terms"],
    hessenberg: Float64[Tensor, "terms degree"],
    centre: float,
    scale: float,
) -> list[float]:
    """Return w_j with sum_k c_k q_k((x - centre) / scale) = sum_j w_j x^j.

    Rational arithmetic: nothing is rounded before the last step, whatever cancels.

    Args:
        weights: c, of the orthogonal polynomials.
        hessenberg: H, which defines them.
        centre: of the points the basis is orthogonal on.
        scale: of these points, > 0.

    >>> line, mean = torch.tensor([1.0, 2.0]).double(), torch.tensor([[0.0], [1.0]]).double()
    >>> to_powers(line, mean, centre=3.0, scale=2.0)
    [-2.0, 1.0]
    """
    exact = np.vectorize(Fraction, otypes=[object])
    h, c = exact(hessenberg.numpy()), exact(weights.numpy())
    one = np.full(len(c), Fraction(0))
    one[0] = Fraction(1)
    powers = [one]
    for k in range(len(c) - 1):
        times_x = (np.roll(powers[k], 1) - Fraction(centre) * powers[k]) / Fraction(scale)
        known = sum(h[j, k] * powers[j] for j in range(k + 1))
        powers.append((times_x - known) / h[k + 1, k])
    return [float(w) for w in sum(w * p for w, p in zip(c, powers, strict=True))]


def cross_degree(features: int, degree: int, cap: int) -> int:
    """Return the highest total degree, at most `degree`, whose products number at most `cap`.

    There are C(d + m, m) - 1 products of total degree 1..m of d features. At least 1.

    >>> cross_degree(features=8, degree=5, cap=1000)
    4
    """
    fitting = [m for m in range(1, degree + 1) if comb(features + m, m) - 1 <= cap]
    return max(fitting, default=1)


def monomial_steps(binary: list[bool], degree: int, cross: int) -> list[Step]:
    """Return how to make each block of products from the block of one degree less.

    Up to degree `cross` the block m holds every product of m features; above it only the powers
    x_j^m. A 0/1 feature is its own square, so it is never taken twice.

    Args:
        binary: for each feature, is it 0/1?
        degree: the highest, >= 1.
        cross: the highest degree with mixed products, 1..degree.

    Returns:
        For m = 2..degree two lists: a place in block m - 1 and the feature to multiply it by.

    >>> monomial_steps([False, False], 2, 2)  # x0 x0, x0 x1, x1 x1
    [([0, 0, 1], [0, 1, 1])]
    """
    block: list[tuple[int, ...]] = [(j,) for j in range(len(binary))]
    steps: list[Step] = []
    for m in range(2, degree + 1):
        grown = [
            (place, (*term, j))
            for place, term in enumerate(block)
            for j in range(term[-1], len(binary))
            if (m <= cross or term == (j,) * (m - 1)) and not (j == term[-1] and binary[j])
        ]
        steps.append(([place for place, _ in grown], [term[-1] for _, term in grown]))
        block = [term for _, term in grown]
    return steps
