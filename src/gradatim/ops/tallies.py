"""Scores from sums: what is kept of judged rows, so that none has to stay in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan, sqrt
from typing import Any

import numpy as np

from gradatim.ops.classification import SMALLEST
from gradatim.ops.confusion import confusion, per_class

__all__ = ["ClassTally", "QuantityTally", "jackknife_interval"]


@dataclass(frozen=True)
class QuantityTally:
    """Judged quantities: rows, squared errors, and the sums of targets t and of t^2.

    t may count from any origin; near its mean no digits are lost.
    """

    rows: float
    missed: float
    total: float
    squares: float

    def __add__(self, other: "QuantityTally") -> "QuantityTally":
        return QuantityTally(
            self.rows + other.rows,
            self.missed + other.missed,
            self.total + other.total,
            self.squares + other.squares,
        )

    def scores(self) -> dict[str, float]:
        """Return rmse and r2 as `ops.regression` defines them; mae is no function of sums: nan.

        >>> QuantityTally(2.0, 2.0, 3.0, 5.0).scores()
        {'rmse': 1.0, 'mae': nan, 'r2': -3.0}
        """
        spread = self.squares - self.total**2 / self.rows
        known = spread > 1e-14 * self.squares
        r2 = 1 - self.missed / spread if known else nan
        return {"rmse": sqrt(self.missed / self.rows), "mae": nan, "r2": r2}


@dataclass(frozen=True)
class ClassTally:
    """Judged classes: how often each was taken for each, log-losses and Brier scores added up."""

    confused: np.ndarray
    surprise: float
    distance: float

    @classmethod
    def of(cls, probabilities: np.ndarray, targets: np.ndarray) -> "ClassTally":
        """Count rows: probabilities (rows, classes) against integer targets (rows,)."""
        classes = probabilities.shape[1]
        right = probabilities[np.arange(len(targets)), targets]
        off = np.square(probabilities).sum(1) - 2 * right + 1
        return cls(
            confusion(probabilities.argmax(1), targets, classes),
            float(-np.log(np.clip(right, SMALLEST, 1.0)).sum()),
            float(off.sum() / 2),
        )

    @property
    def rows(self) -> float:
        """Return how many rows were judged."""
        return float(self.confused.sum())

    def __add__(self, other: "ClassTally") -> "ClassTally":
        return ClassTally(
            self.confused + other.confused,
            self.surprise + other.surprise,
            self.distance + other.distance,
        )

    def scores(self) -> dict[str, float]:
        """Return the scores as `ops.classification` defines them; auc needs all ranks: nan."""
        _, recall, balance, _ = per_class(self.confused)
        return {
            "accuracy": float(np.trace(self.confused)) / self.rows,
            "balanced_accuracy": float(np.nanmean(recall)),
            "f1": float(np.nanmean(balance)),
            "auc": nan,
            "log_loss": self.surprise / self.rows,
            "brier": self.distance / self.rows,
        }


def jackknife_interval(
    blocks: list[Any], score: Callable[[Any], float], confidence: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a score by leaving out one block of rows after the other.

    s^2 = (B - 1) / B sum_b (q_b - mean q)^2 for the score q_b without block b; the interval is
    q +- t_{B-1} s.

    Args:
        blocks: tallies of random blocks of rows, two or more, that can be added.
        score: of a tally.
        confidence: share of such intervals that should hold the truth.

    Source: Kott 2001, "The delete-a-group jackknife"; Efron & Tibshirani 1993, chapter 11.

    >>> [round(end, 3) for end in jackknife_interval([1.0, 2.0, 3.0], lambda total: total)]
    [1.032, 10.968]
    """
    from scipy.special import stdtrit

    whole = sum(blocks[1:], blocks[0])
    parts = []
    for place in range(len(blocks)):
        rest = [*blocks[:place], *blocks[place + 1 :]]
        parts.append(score(sum(rest[1:], rest[0])))
    count = len(blocks)
    spread = sqrt((count - 1) * float(np.var(parts)))
    half = -float(stdtrit(count - 1, (1 - confidence) / 2)) * spread
    return score(whole) - half, score(whole) + half
