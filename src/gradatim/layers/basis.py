"""Rows as numbers that nothing is learnt for: what preprocessing makes of them is an affine map.

So the preprocessing of each training fold, medians aside, can be applied to Grams that were added
up once for all folds.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor, nn
from torch.nn import functional as F

from gradatim.core.rung import Model
from gradatim.core.signature import Category, Signature, Table
from gradatim.layers.columns import Columns
from gradatim.layers.outputs import Quantities
from gradatim.ops.grams import Gram

__all__ = ["Basis"]

FLAT = 1e-12
"""A feature whose variance is below this share of its mean square about the origin is constant."""


@dataclass(frozen=True)
class Basis:
    """Rows as numbers and flags, and targets as columns, all counted from an origin.

    Numbers are (x - shift) / unit, 0 where a cell is missing; flags are those of `Columns`. Targets
    are (t - shift) / unit, or one 0/1 column a class.
    """

    signature: Signature
    shift: Float64[Tensor, " numbers"]
    unit: Float64[Tensor, " numbers"]
    target_shift: float
    target_unit: float

    @property
    def table(self) -> Table:
        """Return the columns."""
        assert isinstance(self.signature.input, Table)
        return self.signature.input

    def rows(self, inputs: Float64[Tensor, "rows columns"]) -> Float64[Tensor, "rows features"]:
        """Return coded cells as numbers and flags."""
        columns = Columns(self.table)
        numbers = (inputs[:, columns.numbers] - self.shift) / self.unit
        return torch.cat([numbers.nan_to_num(nan=0.0), columns.flags(inputs)], dim=1)

    def targets(self, targets: Tensor) -> Float64[Tensor, "rows outputs"]:
        """Return targets as columns."""
        if isinstance(self.signature.output, Category):
            return F.one_hot(targets, self.signature.outputs).double()
        return (targets - self.target_shift) / self.target_unit

    def columns(self, gram: Gram) -> Columns:
        """Return the preprocessing that the rows of a Gram teach.

        Missing cells take the mean of the known ones, which sums give; a median they do not.
        """
        columns = Columns(self.table)
        count = len(columns.numbers)
        means = gram.moments[-1, : gram.features] / gram.rows
        fill = means[:count].clone()
        for number, flag in _gaps(columns):
            fill[number] /= (1 - means[flag]).clamp_min(1 / gram.rows)
        columns.fill.copy_(self.shift + self.unit * fill)
        filled = gram.mapped(_filling(columns, fill), means.new_zeros(gram.features))
        scale, mean = self._scales(filled, count)
        columns.mean.copy_(self.shift + self.unit * mean)
        columns.scale.copy_(scale[:count] / self.unit)
        columns.active.copy_(scale[count:])
        return columns

    def affine(self, columns: Columns) -> tuple[Tensor, Tensor]:
        """Return A and b of the features A z + b that a preprocessing makes of a row."""
        scale = torch.cat([columns.scale * self.unit, columns.active])
        filling = _filling(columns, (columns.fill - self.shift) / self.unit)
        offset = torch.zeros_like(scale)
        offset[: len(self.unit)] = -columns.scale * (columns.mean - self.shift)
        return scale[:, None] * filling, offset

    def _scales(self, filled: Gram, count: int) -> tuple[Tensor, Tensor]:
        """Return what each feature is multiplied with, and the mean that numbers are freed of."""
        squares = filled.moments.diagonal()[: filled.features] / filled.rows
        mean = filled.moments[-1, : filled.features] / filled.rows
        variance = (squares - mean.square()).clamp_min(0)
        varies = variance > FLAT * squares
        scale = torch.where(varies, 1.0, 0.0)
        root = torch.where(varies, variance, 1.0).sqrt()
        scale[:count] /= root[:count]
        return scale, mean[:count]

    def answer(self, model: Model) -> tuple[Tensor, Tensor]:
        """Return w and b of the answers w'z + b of a model, in the units of the basis' targets."""
        columns, output, layer = model.preprocess, model.output, model.network
        assert isinstance(columns, Columns)
        assert isinstance(output, Quantities)
        matrix, offset = self.affine(columns)
        weights = offset.new_zeros(len(offset), len(output.mean))
        bias = (output.mean - self.target_shift) / self.target_unit
        if isinstance(layer, nn.Linear):
            unit = output.scale / self.target_unit
            weights = matrix.T @ layer.weight.T * unit
            bias = bias + (layer.weight @ offset + layer.bias) * unit
        return weights, bias


def _gaps(columns: Columns) -> list[tuple[int, int]]:
    """Return (place of the number, place of its flag) for numbers that may be missing."""
    first = columns.features - len(columns.missing)
    places = enumerate(columns.missing)
    numbers = columns.numbers
    return [(numbers.index(c), first + flag) for flag, c in places if c in numbers]


def _filling(columns: Columns, fill: Tensor) -> Tensor:
    """Return the map that puts a value where a number is missing."""
    filling = torch.eye(columns.features, dtype=torch.float64)
    for number, flag in _gaps(columns):
        filling[number, flag] = fill[number]
    return filling
