"""PCA: a normal distribution that varies along few directions."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float64
from pydantic import Field
from torch import Tensor

from gradatim.core.samples import Samples
from gradatim.layers.generative.generative import Asked, Generative
from gradatim.layers.generative.normal import FewDirections
from gradatim.models.generative._likelihood import KnownForm, halves

__all__ = ["RUNG", "Pca", "likelihoods"]

LEAST = 1e-6
"""Least variance, in units of the mean one."""


class Pca(KnownForm):
    """N(m, U (V - s) U' + s I): the k directions of largest variance, the rest alike.

    s is the mean of the d - k smaller eigenvalues of the covariance: the maximum of the likelihood.

    Idea: what varies together is one direction; what is left is noise.
    Cost: d (k + 1) + k + 1 parameters; one eigenbasis.
    Fails when: rows come in several kinds, or the noise of numbers differs.
    """

    place: ClassVar[int] = 20
    idea: ClassVar[str] = "keeps the few directions in which rows vary most; the rest is noise"
    source: ClassVar[str] = "Tipping & Bishop 1999, equations (3)-(8)"
    deviations: ClassVar[tuple[str, ...]] = ("k: what held-out rows like best",)
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {}}

    directions: Annotated[int, Field(ge=0, le=100_000)] = 0
    """k; 0 lets held-out rows choose."""

    def network(self, features: int, extents: Mapping[str, int], asks: Asked) -> FewDirections:
        """Return as many directions as the extents say."""
        return FewDirections(features, extents.get("directions", 0), asks)

    def extents_of(self, network: Generative) -> Mapping[str, int]:
        """Return k."""
        assert isinstance(network, FewDirections)
        return {"directions": network.directions.shape[1]}

    def fitted(self, z: Tensor, samples: Samples, asks: Asked, seed: int) -> FewDirections:
        """Choose k by held-out rows, then fit to all."""
        most = min(z.shape[1] - 1, len(z) - 1)
        if self.directions:
            return _few(z, min(self.directions, most), asks)
        part, held = halves(z, samples, seed)
        liked = likelihoods(part, held)[: min(most, len(part) - 1) + 1]
        return _few(z, int(liked.argmax()), asks)


def _eigen(z: Float64[Tensor, "rows features"]) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues of the covariance, largest first, and the directions."""
    covariance = torch.cov(z.T, correction=0).reshape(z.shape[1], z.shape[1])
    values, vectors = torch.linalg.eigh(covariance)
    return values.flip(0).clamp_min(LEAST), vectors.flip(1)


def likelihoods(
    z: Float64[Tensor, "rows features"], held: Float64[Tensor, "held features"]
) -> Float64[Tensor, " directions"]:
    """Return the mean log density of held rows for k = 0, 1, ..., d - 1, up to a constant."""
    values, vectors = _eigen(z)
    squares = ((held - z.mean(0)) @ vectors).square().mean(0)
    features = len(values)
    left = torch.arange(features, 0, -1, dtype=torch.float64)
    rest = values.flip(0).cumsum(0).flip(0) / left
    beside = squares.flip(0).cumsum(0).flip(0)
    along = (values.log() + squares / values).cumsum(0) - (values.log() + squares / values)
    return -(along + left * rest.log() + beside / rest) / 2


def _few(z: Float64[Tensor, "rows features"], directions: int, asks: Asked) -> FewDirections:
    values, vectors = _eigen(z)
    few = FewDirections(z.shape[1], directions, asks)
    few.mean.copy_(z.mean(0))
    few.directions.copy_(vectors[:, :directions])
    few.variances.copy_(values[:directions])
    few.rest.copy_(values[directions:].mean())
    return few


RUNG = Pca
