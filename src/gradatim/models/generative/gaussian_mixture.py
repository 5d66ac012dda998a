"""Gaussian mixture: rows come in kinds, each with a normal distribution of its own."""

import warnings
from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from gradatim.core.samples import Samples
from gradatim.layers.generative.generative import Asked, Generative
from gradatim.layers.generative.normal import Mixture
from gradatim.models.generative._likelihood import KnownForm, halves

__all__ = ["RUNG", "GaussianMixture"]

COUNTS = (3, 10, 30, 50, 100)
"""Numbers of components that are tried."""
MOST_FULL = 30
"""Components above which no full covariances are tried: each takes d^2 numbers."""
WIDEST = 128
"""Features above which no full covariances are tried: d^2 numbers a component."""
FLOORS = (1e-3, 1e-5)
"""Added to variances, in units of the mean one, so that no component shrinks onto a row."""


class _Kind(NamedTuple):
    """What a mixture is made of."""

    components: int
    full: bool
    floor: float


class GaussianMixture(KnownForm):
    """sum_k w_k N(m_k, C_k), fitted by expectation-maximisation.

    Idea: several normal distributions side by side: one a kind of row.
    Cost: k (d + 1) (d + 2) / 2 parameters with full covariances, k (2 d + 1) with variances alone.
    Fails when: numbers pile up at an end of their range, or rows are few for so many parameters.
    """

    place: ClassVar[int] = 30
    idea: ClassVar[str] = "lets rows come in kinds, each with its own mean and spread"
    source: ClassVar[str] = "Dempster, Laird & Rubin 1977; Bishop 2006, section 9.2"
    deviations: ClassVar[tuple[str, ...]] = (
        "3 to 100 components, full or diagonal: what held-out rows like best",
        "chosen on at most 5000 rows; full covariances up to 30 components and 128 features",
        "a thousandth or less is added to variances: what held-out rows like best",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"components": 2, "covariance": "diagonal", "floor": 1e-3}
    }

    components: Annotated[int, Field(ge=0, le=10_000)] = 0
    """0 lets held-out rows choose."""
    covariance: Literal["chosen", "full", "diagonal"] = "chosen"
    floor: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Added to variances, in units of the mean one; 0 lets held-out rows choose."""
    trial_rows: Annotated[int, Field(ge=20, le=1_000_000)] = 5000
    """The most rows that all three are chosen on."""

    def network(self, features: int, extents: Mapping[str, int], asks: Asked) -> Mixture:
        """Return as many components as the extents say."""
        return Mixture(features, extents.get("components", 1), bool(extents.get("full", 0)), asks)

    def extents_of(self, network: Generative) -> Mapping[str, int]:
        """Return how many components there are, and whether their covariances are full."""
        assert isinstance(network, Mixture)
        return {"components": len(network.means), "full": int(network.full)}

    def fitted(self, z: Tensor, samples: Samples, asks: Asked, seed: int) -> Mixture:
        """Choose by held-out rows, then fit to all."""
        part, held = halves(z, samples, seed, self.trial_rows)
        tried = self._tried(len(part), z.shape[1])
        best = tried[0]
        if len(tried) > 1:
            scores = [_fit(part, kind, seed).score(held.numpy()) for kind in tried]
            best = tried[int(np.argmax(scores))]
        return _mixture(_fit(z, best, seed), asks)

    def _tried(self, rows: int, features: int) -> list[_Kind]:
        counts = [n for n in COUNTS if n == COUNTS[0] or 4 * n <= rows]
        counts = [self.components] if self.components else counts
        covariances = [self.covariance == "full"]
        if self.covariance == "chosen":
            covariances = [False, True] if features <= WIDEST else [False]
        floors = [self.floor] if self.floor else FLOORS
        return [
            _Kind(min(n, rows), full, floor)
            for n, full, floor in product(counts, covariances, floors)
            if self.components or not full or n <= MOST_FULL
        ]


def _fit(z: Tensor, kind: _Kind, seed: int) -> Any:
    from sklearn import mixture
    from sklearn.exceptions import ConvergenceWarning

    model = mixture.GaussianMixture(
        kind.components,
        covariance_type="full" if kind.full else "diag",
        reg_covar=kind.floor,
        random_state=seed % 2**32,
    )
    with warnings.catch_warnings():
        # Steps that were not taken cost little likelihood, and held-out rows see what they cost.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(z.numpy())


def _mixture(model: Any, asks: Asked) -> Mixture:
    factors = torch.from_numpy(np.ascontiguousarray(model.precisions_cholesky_))
    network = Mixture(model.means_.shape[1], len(factors), factors.dim() == 3, asks)
    network.log_weights.copy_(torch.from_numpy(model.weights_).log())
    network.means.copy_(torch.from_numpy(model.means_))
    network.factors.copy_(factors)
    return network


RUNG = GaussianMixture
