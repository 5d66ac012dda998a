"""`Columns`: raw table cells to standardised features, fitted on the training fold alone."""

import math

import torch
from jaxtyping import Float64, Shaped
from torch import Tensor, nn

from gradatim.core.signature import Column, Table

__all__ = ["Columns"]

# Days in the cycles of a date: the Gregorian mean year, the week, the day.
_YEAR, _WEEK, _DAY = 365.2425, 7.0, 1.0


class Columns(nn.Module):
    """Turn coded cells into features whose number depends on the signature alone.

    Numeric columns and the linear part of dates: missing cells take the training median, then
    (x - mean) / standard deviation. Dates also give sin and cos of the year, the week and, with a
    clock, the day. Categories become indicators of each value and one for "none of them"; every
    column with missing cells gets an indicator. A feature that is constant in the training fold is
    switched off (0), so an unseen value or a column that is constant in one fold stays harmless.

    Args:
        table: the columns, as the signature has them.
        dtype: of the features; networks take float32, solvers float64.
    """

    fill: Tensor
    mean: Tensor
    scale: Tensor
    active: Tensor

    def __init__(self, table: Table, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        columns = list(enumerate(table.columns))
        self.numbers = [i for i, c in columns if c.kind in ("numeric", "date")]
        self.cycles = [(i, period) for i, c in columns for period in _periods(c)]
        self.indicators = [(i, code) for i, c in columns for code in _codes(c)]
        self.missing = [i for i, c in columns if c.missing]
        self.dtype = dtype
        extra = 2 * len(self.cycles) + len(self.indicators) + len(self.missing)
        self.features = len(self.numbers) + extra
        for name in ("fill", "mean", "scale"):
            self.register_buffer(name, torch.zeros(len(self.numbers), dtype=torch.float64))
        self.register_buffer("active", torch.zeros(extra, dtype=torch.float64))

    @property
    def owners(self) -> list[int]:
        """Return for each feature the column that it was made of."""
        cycles = [i for i, _ in self.cycles]
        return [*self.numbers, *cycles, *cycles, *(i for i, _ in self.indicators), *self.missing]

    def fit(self, cells: Float64[Tensor, "rows columns"]) -> "Columns":
        """Learn medians, means, scales and which features vary."""
        numbers = cells[:, self.numbers]
        self.fill.copy_(torch.nanmedian(numbers, dim=0).values.nan_to_num())
        numbers = torch.where(numbers.isnan(), self.fill, numbers)
        # Dividing by the largest entry first keeps squares of 1e200 finite.
        largest = numbers.abs().amax(0).clamp_min(torch.finfo(torch.float64).tiny)
        unit = numbers / largest
        spread = unit.std(0, correction=0)
        varies = spread > 64 * torch.finfo(torch.float64).eps
        self.mean.copy_(unit.mean(0) * largest)
        self.scale.copy_(torch.where(varies, 1 / (spread.clamp_min(1e-300) * largest), 0.0))
        self.scale.nan_to_num_(nan=0.0, posinf=0.0)
        flags = self.flags(cells)
        self.active.copy_((flags != flags[:1]).any(0))
        return self

    def forward(self, cells: Float64[Tensor, "rows columns"]) -> Shaped[Tensor, "rows features"]:
        """Return the features of coded cells."""
        numbers = cells[:, self.numbers]
        numbers = torch.where(numbers.isnan(), self.fill, numbers)
        scaled = (numbers - self.mean) * self.scale
        return torch.cat([scaled, self.flags(cells) * self.active], dim=1).to(self.dtype)

    def flags(self, cells: Float64[Tensor, "rows columns"]) -> Float64[Tensor, "rows flags"]:
        """Return the features that nothing is learnt for: cycles, indicators, missing cells."""
        parts = []
        if self.cycles:
            periods = cells.new_tensor([period for _, period in self.cycles])
            angle = cells[:, [i for i, _ in self.cycles]] * (2 * math.pi / periods)
            parts += [angle.sin().nan_to_num(), angle.cos().nan_to_num()]
        if self.indicators:
            codes = cells.new_tensor([code for _, code in self.indicators])
            parts.append((cells[:, [i for i, _ in self.indicators]] == codes).to(cells.dtype))
        parts.append(cells[:, self.missing].isnan().to(cells.dtype))
        return torch.cat(parts, dim=1)


def _periods(column: Column) -> tuple[float, ...]:
    if column.kind != "date":
        return ()
    return (_YEAR, _WEEK, _DAY) if column.clock else (_YEAR, _WEEK)


def _codes(column: Column) -> tuple[float, ...]:
    if column.kind == "boolean":
        return (1.0,)
    known = range(-1, len(column.values))
    return tuple(map(float, known)) if column.kind == "category" else ()
