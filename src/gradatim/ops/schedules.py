"""Learning rate as a pure function of the step."""

import math
from collections.abc import Callable

__all__ = ["schedule"]


def schedule(name: str, rate: float, steps: int, warmup: float = 0.0) -> Callable[[int], float]:
    """Return the learning rate of each step, after a linear warm-up from rate / (warm-up steps).

    constant: rate; cosine: rate (1 + cos(pi t)) / 2, t from 0 to 1 after the warm-up.

    Args:
        name: "constant" or "cosine".
        rate: the highest learning rate.
        steps: of the whole run.
        warmup: share of the steps, in [0, 1).

    Source: cosine: Loshchilov & Hutter 2017, equation (5), one cycle down to 0.

    >>> [round(schedule("cosine", 1.0, 4)(s), 3) for s in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    warm = round(warmup * steps)

    def at(step: int) -> float:
        if step < warm:
            return rate * (step + 1) / warm
        if name == "constant":
            return rate
        return rate * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) / 2

    return at
