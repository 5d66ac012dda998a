"""Kernel ridge regression: a straight fit in the space of all smooth functions."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float64
from pydantic import Field
from torch import Tensor

from gradatim.core.chunks import in_chunks
from gradatim.core.randomness import generator
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.layers.features import flat_features
from gradatim.layers.kernel import RbfExpansion, nystroem, rbf, scale_of, squared_distances
from gradatim.layers.outputs import output_for
from gradatim.ops.folds import Split
from gradatim.ops.grams import gram_of
from gradatim.ops.inner import inner_folds

__all__ = ["RUNG", "KernelRidge"]

_GAMMAS = (0.01, 0.03, 0.1, 0.3, 1.0)  # times the scale of the features


class KernelRidge(Solved):
    """Ridge regression on RBF bumps, one at each training row: y(x) = sum_i a_i k(x, x_i).

    a = (K + p I)^-1 t with K_ij = exp(-gamma |x_i - x_j|^2).

    Idea: one bump at each row instead of one weight a column: any smooth bend can be fitted.
    Cost: n (d + outputs) numbers kept, O(n^3) to solve, n d multiply-adds an answer.
    Fails when: columns are many and most of them noise, or rows are very many.
    """

    place: ClassVar[int] = 50
    idea: ClassVar[str] = (
        "places a bump at every training row, so that any smooth bend can be fitted"
    )
    source: ClassVar[str] = (
        "Saunders, Gammerman & Vovk 1998; leave-one-out: Rasmussen & Williams 2006, eq. (5.12)"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "gamma, penalty: the best of a grid by leave-one-out on 2000 rows of the training fold",
        "rows with groups or times: by 3 folds instead, groups whole, time running forward",
        "above 10,000 rows: Nystroem's approximation with at most 2000 landmarks",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"penalties": 4, "trial_rows": 200, "limit": 500, "landmarks": 100}
    }

    penalties: Annotated[int, Field(ge=1, le=1000)] = 15
    """How many penalties are tried, from 1e-6 to 10."""
    trial_rows: Annotated[int, Field(ge=2, le=10_000)] = 2000
    """The most rows that gamma and the penalty are chosen on."""
    limit: Annotated[int, Field(ge=2, le=50_000)] = 10_000
    """The most rows that are solved exactly."""
    landmarks: Annotated[int, Field(ge=1, le=20_000)] = 2000
    """Bumps above the limit."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take quantities alone."""
        if isinstance(signature.output, Category):
            return Refusal("kernel ridge predicts quantities, not categories", "use svm")
        return None

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return a sum of bumps on features."""
        features = flat_features(signature)
        network = RbfExpansion(features.features, extents.get("support", 0), signature.outputs)
        return Model(features, network, output_for(signature), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Choose gamma and the penalty, then solve for the bumps."""
        fitted = self.build(signature, {})
        fitted.preprocess.fit(samples.inputs)  # type: ignore[operator]
        x = in_chunks(fitted.preprocess, samples.inputs)
        t = fitted.output.fit(samples.targets).encode(samples.targets)  # type: ignore[operator]
        order = torch.randperm(len(x), generator=generator(seed, "rows"))
        trial = order[: self.trial_rows]
        gamma, penalty = self._choose(x[trial], t[trial], samples.take(trial), signature, seed)
        points = x if len(x) <= self.limit else x[order[: self.landmarks]]
        solver = _solve_all if len(x) <= self.limit else _solve_landmarks
        model = self.build(signature, {"support": len(points)})
        model.preprocess, model.output = fitted.preprocess, fitted.output
        bias = torch.zeros(t.shape[1], dtype=torch.float64)
        model.network.fill(  # type: ignore[operator]
            points, solver(x, t, points, gamma, penalty), bias, gamma
        )
        return model

    def _choose(
        self, x: Tensor, t: Tensor, samples: Samples, signature: Signature, seed: int
    ) -> tuple[float, float]:
        """Return the gamma and the penalty with the smallest error on rows left out."""
        penalties = torch.logspace(-6, 1, self.penalties, dtype=torch.float64)
        gammas = [share * scale_of(x) for share in _GAMMAS]
        ruled = samples.groups is not None or samples.times is not None
        splits = inner_folds(samples, 3, seed) if ruled else []
        apart = squared_distances(x, x)
        kernels = ((-gamma * apart).exp() for gamma in gammas)
        errors = torch.stack([_errors(kernel, t, penalties, splits) for kernel in kernels])
        at_gamma, at_penalty = divmod(int(errors.argmin()), len(penalties))
        return gammas[at_gamma], penalties[at_penalty].item()


def _errors(kernel: Tensor, t: Tensor, penalties: Tensor, splits: Sequence[Split]) -> Tensor:
    """Return the mean squared error of each penalty, by folds or by leaving one row out."""
    if not splits:
        return leave_one_out(kernel, t, penalties)
    pairs = [(torch.from_numpy(train), torch.from_numpy(held)) for train, held in splits]
    each = [
        (kernel[held][:, train] @ _bumps(kernel[train][:, train], t[train], penalties) - t[held])
        for train, held in pairs
    ]
    return torch.stack([error.square().mean((1, 2)) for error in each]).mean(0)


def _bumps(kernel: Tensor, t: Tensor, penalties: Tensor) -> Tensor:
    """Return (K + p I)^-1 t for every penalty p."""
    values, vectors = torch.linalg.eigh(kernel)
    shrink = 1 / (values.clamp_min(0) + penalties[:, None])
    return vectors @ (shrink[:, :, None] * (vectors.T @ t))


def leave_one_out(
    kernel: Float64[Tensor, "rows rows"],
    targets: Float64[Tensor, "rows outputs"],
    penalties: Float64[Tensor, " penalties"],
) -> Float64[Tensor, " penalties"]:
    """Return the mean squared error of each row predicted without it, for every penalty p.

    With G = K + p I and a = G^-1 t, row i is missed by a_i / (G^-1)_ii. One eigendecomposition
    K = V diag(l) V' serves all penalties: G^-1 = V diag(1 / (l + p)) V'.
    """
    values, vectors = torch.linalg.eigh(kernel)
    shrink = 1 / (values.clamp_min(0) + penalties[:, None])
    weights = vectors @ (shrink[:, :, None] * (vectors.T @ targets))
    diagonal = shrink @ vectors.square().T
    return (weights / diagonal[:, :, None]).square().mean((1, 2))


def _solve_all(x: Tensor, t: Tensor, points: Tensor, gamma: float, penalty: float) -> Tensor:
    kernel = rbf(x, points, gamma)
    kernel.diagonal().add_(penalty)
    return torch.cholesky_solve(t, torch.linalg.cholesky(kernel))


def _solve_landmarks(x: Tensor, t: Tensor, points: Tensor, gamma: float, penalty: float) -> Tensor:
    """Return the bumps of ridge regression on Nystroem features Z = k(x, L) W: a = W w."""
    whiten = nystroem(points, gamma)
    blocks = zip(x.split(2048), t.split(2048), strict=True)
    sums = reduce(add, (gram_of(rbf(rows, points, gamma) @ whiten, b) for rows, b in blocks))
    gram, cross = sums.moments[: sums.features, : sums.features], sums.moments[: sums.features]
    gram.diagonal().add_(penalty)
    factor = torch.linalg.cholesky(gram)
    return whiten @ torch.cholesky_solve(cross[:, sums.features : -1], factor)


RUNG = KernelRidge
