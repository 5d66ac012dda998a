"""Rational-quadratic splines: curves that rise everywhere, with an exact inverse and slope."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Knots", "knots", "rational_quadratic", "rational_quadratic_inverse"]

LEAST = 1e-3
"""Least width and height of a bin, as a share of an even one, and least slope at a knot."""


@dataclass(frozen=True)
class Knots:
    """Where curves pass: one curve a leading index; outside of its knots a curve is y = x.

    So the first and the last knot lie on the diagonal, and the slopes there are 1.
    """

    x: Float[Tensor, "*curves knots"]
    y: Float[Tensor, "*curves knots"]
    slopes: Float[Tensor, "*curves knots"]


def knots(
    widths: Float[Tensor, "*curves bins"],
    heights: Float[Tensor, "*curves bins"],
    slopes: Float[Tensor, "*curves inner"],
    bound: float,
) -> Knots:
    """Return the knots that free numbers stand for; zeros stand for the straight line y = x.

    Widths and heights share 2 B by their softmax, slopes are softplus of the numbers.

    Args:
        widths: any numbers, one a bin.
        heights: the same.
        slopes: any numbers, one a knot between two bins.
        bound: B, the curve lies in [-B, B].

    Source: Durkan, Bekasov, Murray & Papamakarios 2019, section 3.1.

    Deviations: slopes of 1 for numbers of 0.

    >>> zeros = torch.zeros(4)
    >>> knots(zeros, zeros, zeros[1:], 2.0).x
    tensor([-2., -1.,  0.,  1.,  2.])
    """
    one = math.log(math.expm1(1 - LEAST))
    inner = LEAST + F.softplus(slopes + one)
    return Knots(_laid(widths, bound), _laid(heights, bound), F.pad(inner, (1, 1), value=1.0))


def _laid(sizes: Float[Tensor, "*curves bins"], bound: float) -> Float[Tensor, "*curves knots"]:
    """Return the ends of bins laid side by side from -B to B."""
    shares = LEAST / sizes.shape[-1] + (1 - LEAST) * sizes.softmax(-1)
    inner = bound * (2 * shares[..., :-1].cumsum(-1) - 1)
    return F.pad(F.pad(inner, (1, 0), value=-bound), (0, 1), value=bound)


def rational_quadratic(
    x: Float[Tensor, "*curves"], through: Knots
) -> tuple[Float[Tensor, "*curves"], Float[Tensor, "*curves"]]:
    """Return y = g(x) and log g'(x).

    In a bin of width w and height h, with xi = (x - x_k) / w and s = h / w,
    g = y_k + h (s xi^2 + d_k xi (1 - xi)) / (s + (d_k+1 + d_k - 2 s) xi (1 - xi)).

    Args:
        x: one number a curve.
        through: the knots of each curve.

    Source: Durkan et al. 2019, equations (4) and (5); Gregory & Delbourgo 1982.

    >>> import torch
    >>> zeros = torch.zeros(1, 4)
    >>> line = knots(zeros, zeros, zeros[:, 1:], 2.0)
    >>> y, log_slope = rational_quadratic(torch.tensor([0.3]), line)
    >>> round(float(y), 4), abs(round(float(log_slope), 4))
    (0.3, 0.0)
    """
    inside, x_in, bin_ = _found(x, through.x)
    left, bottom, width, height, d0, d1 = _of_bin(through, bin_)
    s, xi = height / width, (x_in - left) / width
    y = bottom + height * (s * xi**2 + d0 * xi * (1 - xi)) / _below(xi, s, d0, d1)
    log_slope = _log_slope(xi, s, d0, d1)
    return torch.where(inside, y, x), torch.where(inside, log_slope, 0.0)


def rational_quadratic_inverse(
    y: Float[Tensor, "*curves"], through: Knots
) -> tuple[Float[Tensor, "*curves"], Float[Tensor, "*curves"]]:
    """Return x with g(x) = y, and log g'(x).

    xi is the root of a xi^2 + b xi + c in [0, 1], written so that nothing cancels.

    Source: Durkan et al. 2019, equations (6)-(8), appendix A.2.
    """
    inside, y_in, bin_ = _found(y, through.y)
    left, bottom, width, height, d0, d1 = _of_bin(through, bin_)
    s, up = height / width, y_in - bottom
    bend = up * (d1 + d0 - 2 * s)
    a, b, c = height * (s - d0) + bend, height * d0 - bend, -s * up
    xi = 2 * c / (-b - (b**2 - 4 * a * c).clamp_min(0).sqrt())
    log_slope = _log_slope(xi, s, d0, d1)
    return torch.where(inside, left + xi * width, y), torch.where(inside, log_slope, 0.0)


def _found(
    value: Float[Tensor, "*curves"], ends: Float[Tensor, "*curves knots"]
) -> tuple[Bool[Tensor, "*curves"], Float[Tensor, "*curves"], Tensor]:
    """Return which values lie between the knots, the values moved there, and their bins.

    A curve is never asked outside of its knots: its gradient there could be NaN, and would stay
    NaN behind `torch.where`.
    """
    inside = (value >= ends[..., 0]) & (value <= ends[..., -1])
    moved = torch.where(inside, value, (ends[..., 0] + ends[..., -1]) / 2)
    inner = ends[..., 1:-1].detach().contiguous()
    return inside, moved, torch.searchsorted(inner, moved.detach()[..., None], right=True)


def _of_bin(through: Knots, bin_: Tensor) -> tuple[Tensor, ...]:
    """Return left end, bottom, width, height and the slopes at both ends of one bin a curve."""
    ends = (through.x, through.y, through.slopes)
    left, bottom, d0 = (of.gather(-1, bin_)[..., 0] for of in ends)
    right, top, d1 = (of.gather(-1, bin_ + 1)[..., 0] for of in ends)
    return left, bottom, right - left, top - bottom, d0, d1


def _below(xi: Tensor, s: Tensor, d0: Tensor, d1: Tensor) -> Tensor:
    """Return the denominator of the curve."""
    return s + (d1 + d0 - 2 * s) * xi * (1 - xi)


def _log_slope(xi: Tensor, s: Tensor, d0: Tensor, d1: Tensor) -> Tensor:
    above = d1 * xi**2 + 2 * s * xi * (1 - xi) + d0 * (1 - xi) ** 2
    return 2 * s.log() + above.log() - 2 * _below(xi, s, d0, d1).log()
