"""Least squares that tells its rank, its noise and its likelihood."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from gradatim.ops.polynomials import orthogonal_basis, to_powers

__all__ = [
    "LeastSquares",
    "least_squares",
    "log_likelihood",
    "noise_variance",
    "polynomial_coefficients",
]

_EPS = torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class LeastSquares:
    """A solution with what the solver learnt on the way.

    `rank` counts the independent directions of the (centred) columns. `leverage` is the diagonal
    of the matrix that turns targets into predictions; row i left out is predicted by
    t_i - (t_i - y_i) / (1 - leverage_i).
    """

    weights: Float64[Tensor, "features outputs"]
    bias: Float64[Tensor, " outputs"]
    rank: int
    leverage: Float64[Tensor, " rows"]


def least_squares(
    features: Float64[Tensor, "rows features"],
    targets: Float64[Tensor, "rows outputs"],
    *,
    intercept: bool = True,
) -> LeastSquares:
    """Return the w with the smallest ||X w + b - t||, and of all such the shortest.

    w = X^+ t, by singular values. Columns are centred (b stays free), then brought to length 1, so
    that units do not decide the rank: a singular value below eps max(n, d) of the largest counts
    as 0, and "shortest" is measured in units of each column's length. More columns than rows are
    welcome.

    Args:
        features: in any units; a constant column gets weight 0 beside an intercept.
        targets: in any units.
        intercept: fit b; without it b = 0.

    Source: course 000, equation (2), with the pseudo-inverse where (X'X)^-1 does not exist; Golub
        & Van Loan 2013, section 5.5.

    Deviations: the columns are centred and scaled first.

    >>> x = torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)
    >>> line = least_squares(x, 1 + 2 * x)
    >>> round(line.weights.item(), 9), round(line.bias.item(), 9), line.rank
    (2.0, 1.0, 1)
    """
    n, d = features.shape
    mean = features.mean(0) if intercept else features.new_zeros(d)
    centre = targets.mean(0) if intercept else targets.new_zeros(targets.shape[1])
    # Once more: the mean is rounded, and a column far from zero keeps a trace of it.
    x, t = features - mean, targets - centre
    if intercept:
        drift = x.mean(0)
        x, mean = x - drift, mean + drift
    length = x.norm(dim=0)
    flat = length <= 64 * _EPS * math.sqrt(n) * features.abs().amax(0)
    scale = torch.where(flat, 0.0, 1 / torch.where(flat, 1.0, length))
    u, values, v = torch.linalg.svd(x * scale, full_matrices=False)
    kept = values > _EPS * max(n, d) * values.amax().clamp_min(_EPS)
    u, values, v = u[:, kept], values[kept], v[kept]
    inverse = scale[:, None] * v.T / values
    weights = inverse @ (u.T @ t)
    leverage = u.square().sum(1) + (1 / n if intercept else 0.0)
    return LeastSquares(weights, centre - mean @ weights, int(kept.sum()), leverage)


def noise_variance(residuals: Float64[Tensor, "rows outputs"]) -> Float64[Tensor, " outputs"]:
    """Return the maximum-likelihood variance of Gaussian noise, 1 / beta_ML.

    1 / beta_ML = (1/n) sum_i (t_i - y_i)^2.

    Args:
        residuals: target minus prediction, on the rows of the fit.

    Source: course 000, equation (3), which prints the variance as if it were beta.

    >>> noise_variance(torch.tensor([[1.0], [-3.0]], dtype=torch.float64)).tolist()
    [5.0]
    """
    return residuals.square().mean(0)


def log_likelihood(
    residuals: Float64[Tensor, "rows outputs"], variance: Float64[Tensor, " outputs"] | None = None
) -> float:
    """Return the log-likelihood of residuals as independent Gaussian noise.

    log L = sum_i (log beta - log 2 pi - beta (t_i - y_i)^2) / 2, summed over the outputs.

    Args:
        residuals: target minus prediction.
        variance: 1 / beta of each output; None takes its maximum-likelihood value.

    Returns:
        Infinity when the fit is exact and the variance therefore 0.

    Source: course 000, the log-likelihood before E_d (which is its negative, less constants).

    >>> round(log_likelihood(torch.tensor([[1.0], [-1.0]], dtype=torch.float64)), 6)
    -2.837877
    """
    variance = noise_variance(residuals) if variance is None else variance
    if not bool((variance > 0).all()):
        return math.inf
    squares = residuals.square().sum(0) / variance
    return -0.5 * float((len(residuals) * (2 * math.pi * variance).log() + squares).sum())


def polynomial_coefficients(
    points: Float64[Tensor, " rows"], targets: Float64[Tensor, " rows"], degree: int
) -> list[float]:
    """Return w_0 .. w_M of the polynomial with the smallest squared error.

    The fit is done in a basis that is orthogonal on the points; its change to powers of x is exact
    rational arithmetic, so the answer is as accurate as float64 input allows.

    Args:
        points: x, in any units.
        targets: t.
        degree: M, below the number of different points.

    Returns:
        w with t ~ sum_j w_j x^j.

    Source: course 000, equations (5) and (6) with all powers 1..M; `orthogonal_basis`.

    >>> x = torch.arange(5, dtype=torch.float64)
    >>> [round(w, 9) for w in polynomial_coefficients(x, 1 + x**2, 2)]
    [1.0, 0.0, 1.0]
    """
    low, high = float(points.min()), float(points.max())
    centre, half = (low + high) / 2, (high - low) / 2 or 1.0
    basis, hessenberg = orthogonal_basis((points - centre) / half, degree)
    weights = basis.T @ targets / len(points)
    weights = weights + basis.T @ (targets - basis @ weights) / len(points)
    return to_powers(weights, hessenberg, centre, half)
