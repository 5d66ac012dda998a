"""Gaussian: one normal distribution for all rows."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from gradatim.core.samples import Samples
from gradatim.layers.generative.generative import Asked
from gradatim.layers.generative.normal import Normal
from gradatim.models.generative._likelihood import KnownForm, halves

__all__ = ["RUNG", "Gaussian"]

SHARES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
"""How far a covariance is moved towards its diagonal, of which held-out rows choose one."""
LEAST = 1e-6
"""Added to variances, in units of the mean one: a number that never varies has none."""


class Gaussian(KnownForm):
    """N(m, (1 - r) S + r diag(S)), m and S the mean and covariance of the rows.

    Idea: every number has a spread, and every pair of numbers a correlation.
    Cost: d (d + 3) / 2 parameters; one covariance and one Cholesky factor.
    Fails when: rows come in several kinds, or numbers pile up at an end of their range.
    """

    place: ClassVar[int] = 10
    idea: ClassVar[str] = "knows the mean of every number and how any two vary together"
    source: ClassVar[str] = "Gauss 1809; Ledoit & Wolf 2004, for moving a covariance to a target"
    deviations: ClassVar[tuple[str, ...]] = (
        "the covariance moves towards its diagonal, by the share that held-out rows like best",
        "a millionth is added to variances",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {}}

    def network(self, features: int, extents: Mapping[str, int], asks: Asked) -> Normal:
        """Return a standard normal."""
        return Normal(features, asks)

    def fitted(self, z: Tensor, samples: Samples, asks: Asked, seed: int) -> Normal:
        """Choose the share by held-out rows, then fit to all."""
        part, held = halves(z, samples, seed)
        liked = [float(_normal(part, share).log_prob(held).mean()) for share in SHARES]
        return _normal(z, SHARES[liked.index(max(liked))], asks)


def _normal(z: Float64[Tensor, "rows features"], share: float, asks: Asked = "density") -> Normal:
    normal = Normal(z.shape[1], asks)
    normal.mean.copy_(z.mean(0))
    covariance = torch.cov(z.T, correction=0).reshape(z.shape[1], z.shape[1])
    diagonal = torch.diag(covariance.diagonal())
    moved = (1 - share) * covariance + share * diagonal
    least = LEAST * torch.eye(len(moved), dtype=torch.float64)
    normal.factor.copy_(torch.linalg.cholesky(moved + least))
    return normal


RUNG = Gaussian
