"""The rungs that sums alone can fit, for tables larger than memory: mean, majority, linear, ridge.

The Grams are those of a `layers.basis.Basis`, which knows the preprocessing of every fold.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from gradatim.core.rung import Model, Rung
from gradatim.core.samples import Samples
from gradatim.layers.basis import Basis
from gradatim.layers.columns import Columns
from gradatim.layers.outputs import Logits, Quantities
from gradatim.models.linear import Linear, Plane
from gradatim.models.majority import Majority
from gradatim.models.mean import Mean
from gradatim.models.ridge import Ridge
from gradatim.ops.calibration import temperature
from gradatim.ops.grams import Gram, residual_sums, ridge_weights

__all__ = ["SUMMED", "Sums", "solve_sums"]

RANK = 1e-12
"""Directions whose variance is below this share of the largest do not count."""


@dataclass(frozen=True)
class Sums:
    """What the rows of a training fold taught, part by part, and a sample of these rows.

    `parts` are Grams of the basis. `sample` holds some rows of these parts, `pieces` their part: a
    temperature needs scores, not sums. Regression needs no sample.
    """

    basis: Basis
    parts: Sequence[Gram]
    sample: Samples | None = None
    pieces: Int64[Tensor, " rows"] | None = None

    @property
    def total(self) -> Gram:
        """Return the Gram of all of them."""
        return reduce(add, self.parts)


@dataclass(frozen=True)
class _Fold:
    """The Grams of a training fold in its own features, and what scores are made with."""

    sums: Sums
    columns: Columns
    total: Gram
    parts: Sequence[Gram]

    def inner(self) -> list[tuple[Gram, Gram]]:
        """Return the other parts, and the part, for each of them."""
        if len(self.parts) < 2:
            return []
        return [
            (reduce(add, [*self.parts[:i], *self.parts[i + 1 :]]), part)
            for i, part in enumerate(self.parts)
        ]

    def temperature(self, weigh: Callable[[Gram], tuple[Tensor, Tensor]]) -> float:
        """Return the temperature of scores of sample rows whose part did not teach."""
        sample, pieces = self.sums.sample, self.sums.pieces
        if sample is None or pieces is None or not len(sample):
            return 1.0
        x = self.columns(sample.inputs)
        scores = torch.zeros(len(x), self.sums.basis.signature.outputs, dtype=torch.float64)
        for piece, (rest, _) in enumerate(self.inner()):
            weights, bias = weigh(rest)
            rows = pieces == piece
            scores[rows] = x[rows] @ weights + bias
        return temperature(scores, sample.targets)


def solve_sums(rung: Rung, sums: Sums) -> Model:
    """Return a rung fitted to the rows that were summed.

    Args:
        rung: one of `SUMMED`, by its file.
        sums: of the training rows.
    """
    basis, raw = sums.basis, sums.total
    columns = basis.columns(raw)
    matrix, offset = basis.affine(columns)
    parts = [part.mapped(matrix, offset) for part in sums.parts]
    model = rung.build(basis.signature, {}).requires_grad_(False)
    model.preprocess = columns
    fold = _Fold(sums, columns, reduce(add, parts), parts)
    if isinstance(model.output, Quantities):
        centre = fold.total.centred()
        mean = basis.target_shift + basis.target_unit * centre.t_mean
        spread = (centre.tt / centre.rows).sqrt() * basis.target_unit
        model.output.mean.copy_(mean)
        model.output.scale.copy_(torch.where(spread > 0, spread, 1.0))
    SUMMED[rung.file](rung, fold, model)
    return model


def _mean(rung: Rung, fold: _Fold, model: Model) -> None:
    """Leave the zeros: the output adds the mean."""


def _majority(rung: Rung, fold: _Fold, model: Model) -> None:
    counts = fold.total.moments[-1, fold.total.features : -1] + 1
    model.network.scores.copy_((counts / counts.sum()).log())  # type: ignore[operator]


def _ridge(rung: Rung, fold: _Fold, model: Model) -> None:
    """Try every penalty on each part of the training rows in turn, keep the best."""
    assert isinstance(rung, Ridge)
    shares = torch.logspace(-6, 3, rung.penalties, dtype=torch.float64)
    missed = torch.zeros(len(shares), dtype=torch.float64)
    for rest, part in fold.inner():
        missed += residual_sums(part, *ridge_weights(rest, shares * rest.rows)).sum(1)
    best = shares[missed.argmin()][None]

    def weigh(gram: Gram) -> tuple[Tensor, Tensor]:
        weights, bias = ridge_weights(gram, best * gram.rows)
        return weights[0], bias[0]

    _take(fold, model, weigh)


def _linear(rung: Rung, fold: _Fold, model: Model) -> None:
    plane = model.network
    assert isinstance(plane, Plane)
    missed = _take(fold, model, _least_squares)
    values = torch.linalg.eigvalsh(_correlation(fold.total)[0])
    plane.rank.fill_(int(_kept(values).sum()))
    if isinstance(model.output, Quantities):
        rows = fold.total.rows
        noise = missed * fold.sums.basis.target_unit**2 / rows
        plane.noise_variance.copy_(noise)
        likelihood = -0.5 * rows * (noise.log() + math.log(2 * math.pi) + 1).sum()
        plane.log_likelihood.copy_(likelihood.nan_to_num(posinf=0.0, neginf=0.0))


def _least_squares(gram: Gram) -> tuple[Tensor, Tensor]:
    """Return the shortest of the best weights, in units of each feature's length."""
    sums = gram.centred()
    correlation, inverse = _correlation(gram)
    values, vectors = torch.linalg.eigh(correlation)
    kept = _kept(values)
    values, vectors = values[kept], vectors[:, kept]
    weights = (vectors / values) @ (vectors.T @ (inverse[:, None] * sums.xt))
    weights = inverse[:, None] * weights
    return weights, sums.t_mean - sums.x_mean @ weights


def _correlation(gram: Gram) -> tuple[Tensor, Tensor]:
    """Return X'X of features brought to length 1, and what each was multiplied with."""
    about = gram.centred().xx
    length = about.diagonal().clamp_min(0).sqrt()
    inverse = torch.where(length > 0, 1 / length, 0.0)
    return about * inverse * inverse[:, None], inverse


def _kept(values: Tensor) -> Tensor:
    return values > RANK * values[-1].clamp_min(1e-300)


def _take(fold: _Fold, model: Model, weigh: Callable[[Gram], tuple[Tensor, Tensor]]) -> Tensor:
    """Put a solution into the model; return its squared residuals."""
    weights, bias = weigh(fold.total)
    layer, output, basis = model.network, model.output, fold.sums.basis
    assert isinstance(layer, nn.Linear)
    missed = residual_sums(fold.total, weights[None], bias[None])[0]
    if isinstance(output, Logits):
        output.scale.fill_(fold.temperature(weigh))
    elif isinstance(output, Quantities):
        unit = basis.target_unit / output.scale
        weights = weights * unit
        bias = bias * unit + (basis.target_shift - output.mean) / output.scale
    layer.weight.copy_(weights.T)
    layer.bias.copy_(bias)
    return missed


SUMMED: Mapping[str, Callable[[Rung, _Fold, Model], None]] = {
    Mean.__module__.rpartition(".")[2]: _mean,
    Majority.__module__.rpartition(".")[2]: _majority,
    Linear.__module__.rpartition(".")[2]: _linear,
    Ridge.__module__.rpartition(".")[2]: _ridge,
}
