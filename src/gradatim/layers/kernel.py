"""Radial basis functions: the kernel, sums of it, and Nystroem's shortcut for many rows."""

import torch
from jaxtyping import Float64
from torch import Tensor, nn

from gradatim.layers.blocks import in_blocks

__all__ = ["RbfExpansion", "nystroem", "rbf", "scale_of", "squared_distances"]

_RANK = 1e-10  # eigenvalues below this share of the largest are rounding


def rbf(
    x: Float64[Tensor, "rows features"],
    points: Float64[Tensor, "points features"],
    gamma: float | Float64[Tensor, ""],
) -> Float64[Tensor, "rows points"]:
    """Return k(x, p) = exp(-gamma |x - p|^2).

    >>> a = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    >>> round(rbf(a, -a, 0.25).item(), 6)  # exp(-1)
    0.367879
    """
    return (-gamma * squared_distances(x, points)).exp()


def squared_distances(
    x: Float64[Tensor, "rows features"], points: Float64[Tensor, "points features"]
) -> Float64[Tensor, "rows points"]:
    """Return |x - p|^2 = |x|^2 + |p|^2 - 2 x.p, which kernels of every gamma share."""
    squares = x.square().sum(1)[:, None] + points.square().sum(1)
    return (squares - 2 * (x @ points.T)).clamp_min(0)


def scale_of(x: Float64[Tensor, "rows features"]) -> float:
    """Return 1 / (features * variance of all entries): the gamma at which distances are near 1.

    Source: scikit-learn's gamma="scale". Constant features have no scale: 1 / features.
    """
    variance = x.var(correction=0).item()
    return 1 / (x.shape[1] * (variance if variance > 0 else 1.0))


def nystroem(
    landmarks: Float64[Tensor, "landmarks features"], gamma: float
) -> Float64[Tensor, "landmarks rank"]:
    """Return W such that (k(x, L) W)(k(y, L) W)' is near k(x, y).

    With K_LL = V diag(l) V', W = V diag(l)^-1/2, without the directions that are rounding.

    Source: Williams & Seeger 2001, "Using the Nystroem method to speed up kernel machines".
    """
    values, vectors = torch.linalg.eigh(rbf(landmarks, landmarks, gamma))
    kept = values > _RANK * values[-1]
    return vectors[:, kept] / values[kept].sqrt()


class RbfExpansion(nn.Module):
    """A sum of bumps: f(x) = b + sum_i a_i exp(-gamma |x - x_i|^2).

    The kernel matrix is made for a block of rows at a time, so memory is bounded.

    Args:
        features: of a row.
        points: how many bumps.
        outputs: numbers for each row.
    """

    points: Tensor
    coefficients: Tensor
    bias: Tensor
    gamma: Tensor

    def __init__(self, features: int, points: int, outputs: int) -> None:
        super().__init__()
        shapes = {"points": (points, features), "coefficients": (points, outputs)}
        for name, shape in {**shapes, "bias": (outputs,), "gamma": ()}.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    def fill(
        self,
        points: Float64[Tensor, "points features"],
        coefficients: Float64[Tensor, "points outputs"],
        bias: Float64[Tensor, " outputs"],
        gamma: float,
    ) -> "RbfExpansion":
        """Take what a solver found."""
        self.points.copy_(points)
        self.coefficients.copy_(coefficients)
        self.bias.copy_(bias)
        self.gamma.fill_(gamma)
        return self

    def forward(self, x: Float64[Tensor, "rows features"]) -> Float64[Tensor, "rows outputs"]:
        """Return the sum for each row."""
        return in_blocks(self._sum, x, per_row=len(self.points))

    def _sum(self, x: Tensor) -> Tensor:
        return rbf(x, self.points, self.gamma) @ self.coefficients + self.bias
