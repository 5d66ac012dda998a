"""Steps of spline flows: each feature bends along a curve that other features choose."""

import torch
from jaxtyping import Float
from torch import Tensor

from gradatim.layers.generative.flow import Bijection, Moved
from gradatim.layers.generative.masked import Masked
from gradatim.ops.generative.splines import (
    Knots,
    knots,
    rational_quadratic,
    rational_quadratic_inverse,
)

__all__ = ["AutoregressiveSpline"]


class AutoregressiveSpline(Bijection):
    """z_i = g_i(x_i), where the features before i choose the curve g_i.

    The Jacobian is triangular, so its log determinant is the sum of log g_i'(x_i). Undoing it
    takes one pass a feature.

    Args:
        features: d.
        bins: of each curve.
        bound: curves bend in [-B, B].
        width: hidden units of the network that chooses.
        depth: its hidden layers.
        dropout: of its hidden units.
        backwards: the last feature comes first.

    Source: Durkan, Bekasov, Murray & Papamakarios 2019, section 3.
    """

    def __init__(
        self,
        features: int,
        bins: int,
        bound: float,
        width: int,
        depth: int,
        dropout: float,
        *,
        backwards: bool = False,
    ) -> None:
        super().__init__()
        self.bins, self.bound = bins, bound
        self.chooses = Masked(features, 3 * bins - 1, width, depth, dropout, backwards=backwards)

    def forward(self, x: Float[Tensor, "rows features"]) -> Moved:
        """Return the bent features and the sum of the log slopes."""
        z, log_slopes = rational_quadratic(x, self._knots(self.chooses(x)))
        return z, log_slopes.sum(1)

    @torch.no_grad()
    def inverse(self, z: Float[Tensor, "rows features"]) -> Float[Tensor, "rows features"]:
        """Undo feature after feature: each curve is known when those before it are."""
        x = torch.zeros_like(z)
        for feature in self.chooses.order:
            curve = self._knots(self.chooses.about(feature, x))
            x[:, feature] = rational_quadratic_inverse(z[:, feature], curve)[0]
        return x

    def _knots(self, numbers: Float[Tensor, "*curves each"]) -> Knots:
        widths, heights, slopes = numbers.split([self.bins, self.bins, self.bins - 1], -1)
        return knots(widths, heights, slopes, self.bound)
