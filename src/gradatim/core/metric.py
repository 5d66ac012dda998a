"""`Metric`: a number that judges predictions, with the direction that is better."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["Metric"]


@dataclass(frozen=True)
class Metric:
    """A named score of `(predictions, targets)`.

    `bounded` metrics end at 1, so a difference has the same meaning on any data; `lowest` is the
    least that a score can be. `biased` ones score resampled rows worse, for these repeat one
    another: intervals from resampling are moved back by as much.
    An undefined score (AUC with one class) is NaN and is shown as undefined, never averaged.
    """

    name: str
    direction: Literal["higher", "lower"]
    bounded: bool
    function: Callable[[np.ndarray, np.ndarray], float]
    lowest: float = 0.0
    biased: bool = False

    def __call__(self, predictions: np.ndarray, targets: np.ndarray) -> float:
        """Return the score."""
        return float(self.function(predictions, targets))

    def within(self, low: float, high: float) -> tuple[float, float]:
        """Return an interval cut to the scores that can be."""
        return max(low, self.lowest), min(high, 1.0) if self.bounded else high

    @property
    def sign(self) -> int:
        """Return 1 when higher is better, -1 when lower is."""
        return 1 if self.direction == "higher" else -1
