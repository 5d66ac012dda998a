"""What is kept of a column while its cells stream by: some numbers, or how often each text came."""

import math
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from gradatim.core.signature import Column
from gradatim.data.naming import number_of
from gradatim.data.origin import Origin
from gradatim.data.tables.cells import Cells, NumberCells, TextCells
from gradatim.data.tables.columns import MISSING, refuse_infinite
from gradatim.data.tables.dates import days_of

__all__ = ["Numbers", "Summary"]

MOST_TEXTS = 50_000
"""Different texts that are counted; a column with more is no category."""
MOST_NUMBERS = 1000
"""Different numbers of a column that are kept, to tell classes from a quantity."""


@dataclass(frozen=True)
class Numbers:
    """Where the known numbers of a column lie.

    `unit` is a power of two near their standard deviation, so dividing by it rounds nothing.
    """

    mean: float = 0.0
    unit: float = 1.0
    least: float = math.nan
    greatest: float = math.nan


@dataclass
class Summary:
    """One column. `texts` is None for a column that came as numbers, booleans or dates."""

    name: str
    rows: int = 0
    missing: int = 0
    texts: Counter[str] | None = None
    overflowed: bool = False
    meaning: Literal["number", "boolean", "date"] = "number"
    distinct: Counter[float] = field(default_factory=Counter)
    many: bool = False
    clock: bool = False
    phase: float | None = None
    mean: float = 0.0
    squares: float = 0.0
    least: float = math.inf
    greatest: float = -math.inf

    def take(self, cells: Cells, origin: Origin) -> None:
        """Add a batch of cells.

        Raises:
            DataError: a number is infinite.
        """
        self.rows += len(cells)
        if isinstance(cells, TextCells):
            self._take_texts(cells)
        else:
            refuse_infinite(cells, origin)
            self.meaning = cells.meaning
            self._take_numbers(cells.numbers)

    def _take_texts(self, cells: TextCells) -> None:
        counts = cells.counts()
        texts = self.texts = Counter() if self.texts is None else self.texts
        for text, count in zip(cells.distinct, counts.tolist(), strict=True):
            self.missing += count if text in MISSING else 0
            if count and (text in texts or len(texts) < MOST_TEXTS):
                texts[text] += count
            elif count:
                self.overflowed = True

    def _take_numbers(self, numbers: np.ndarray) -> None:
        lost = np.isnan(numbers)
        if lost.any():
            self.missing += int(lost.sum())
            numbers = numbers[~lost]
        if not len(numbers):
            return
        self._merge(numbers)
        if not self.many:
            values, counts = np.unique(numbers, return_counts=True)
            self.distinct.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
            self.many = len(self.distinct) > MOST_NUMBERS
        if self.meaning == "date" and not self.clock:
            # As in memory: a date has a clock when its time of day is not always the same.
            self.phase = numbers[0] % 1 if self.phase is None else self.phase
            self.clock = bool((numbers % 1 != self.phase).any())

    def _merge(self, numbers: np.ndarray) -> None:
        """Bring mean and squared deviations up to date (Chan, Golub & LeVeque 1983)."""
        before, n = self.rows - self.missing - len(numbers), len(numbers)
        mean = float(numbers.mean())
        gap = mean - self.mean
        with np.errstate(over="ignore"):
            self.squares += float(np.square(numbers - mean).sum())
            self.squares += gap * gap * before * n / (before + n)
        self.mean += gap * n / (before + n)
        self.least = min(self.least, float(numbers.min()))
        self.greatest = max(self.greatest, float(numbers.max()))

    def column(self) -> Column:
        """Return the column that these numbers make, as `learn_column` does."""
        name, missing = self.name, self.missing > 0
        if self.meaning == "date":
            return Column(name=name, kind="date", missing=missing, clock=self.clock)
        if self.meaning == "boolean" or (not self.many and self.distinct.keys() == {0.0, 1.0}):
            values = ("False", "True") if self.meaning == "boolean" else ("0", "1")
            return Column(name=name, kind="boolean", values=values, missing=missing)
        return Column(name=name, kind="numeric", missing=missing)

    def numbers(self) -> Numbers:
        """Return where the numbers lie, come as numbers or as texts."""
        if self.texts is not None:
            return _spelled(self.texts)
        known = self.rows - self.missing
        if not known:
            return Numbers()
        unit = _unit(self.squares / known, self.greatest - self.least)
        return Numbers(self.mean, unit, self.least, self.greatest)

    def miniature(self, rows: int = 100_000) -> Cells:
        """Return about so many rows, or less, that hold every value, in proportion."""
        counts = self.distinct if self.texts is None else self.texts
        shrink = min(1.0, rows / max(1, self.rows))
        often = [max(1, round(count * shrink)) for count in counts.values()]
        if self.texts is None:
            values = np.repeat(np.array(list(self.distinct), np.float64), often)
            return NumberCells(self.name, values, self.meaning)
        return TextCells(self.name, np.repeat(np.arange(len(often)), often), tuple(self.texts))


def _spelled(texts: Counter[str]) -> Numbers:
    known = {text: number_of(text) for text in texts}
    if all(value is None for value in known.values()):
        known = {text: days_of(text) for text in texts}
    pairs = [(value, texts[text]) for text, value in known.items() if value is not None]
    if not pairs:
        return Numbers()
    values, counts = (np.array(side, np.float64) for side in zip(*pairs, strict=True))
    mean = float(np.average(values, weights=counts))
    spread = float(np.average(np.square(values - mean), weights=counts))
    least, greatest = float(values.min()), float(values.max())
    return Numbers(mean, _unit(spread, greatest - least), least, greatest)


def _unit(variance: float, width: float) -> float:
    """Return a power of two near the deviation, or near the range where squares leave float64."""
    if sys.float_info.min < variance < math.inf:
        return float(2.0 ** round(math.log2(variance) / 2))
    return float(2.0 ** round(math.log2(width))) if 0 < width < math.inf else 1.0
