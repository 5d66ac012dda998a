"""Learning rate as a pure function of the step."""

import math
from collections.abc import Callable

from gradatim.core.recipe import Schedule

__all__ = ["schedule"]

START, END = 1 / 25, 1e-4  # of one-cycle: where it begins and ends, as shares of the highest rate
RISE = 0.3  # share of a cycle in which the rate rises


def schedule(plan: Schedule, rate: float, steps: int) -> Callable[[int], float]:
    """Return the learning rate of each step, after a linear warm-up from rate / (warm-up steps).

    With t, the share of the steps after the warm-up that is done, from 0 to 1:

    - constant: rate
    - step: rate factor^floor(t / every)
    - exponential: rate e^(-k t)
    - inverse: rate / (1 + k t)
    - cosine: rate (1 + cos(pi t)) / 2
    - onecycle: by half a cosine from rate/25 up to rate at t = 0.3, then down to rate/10,000

    Args:
        plan: name, warm-up and numbers.
        rate: the highest learning rate.
        steps: of the whole run.

    Source: course 000, "Learning rate decay over time" (step, exponential, 1/t); Loshchilov &
        Hutter 2017, equation (5), one cycle down to 0 (cosine); Smith & Topin 2018 (one-cycle).
    Deviations: the course counts t in epochs; here it is the share of the run, so that a plan
        means the same for short and long runs. One-cycle leaves the momentum alone.

    >>> [round(schedule(Schedule(warmup=0), 1.0, 4)(s), 3) for s in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    warm = round(plan.warmup * steps)

    def at(step: int) -> float:
        if step < warm:
            return rate * (step + 1) / warm
        return rate * _share(plan, (step - warm) / max(1, steps - warm))

    return at


def _share(plan: Schedule, t: float) -> float:
    """Return the rate as a share of the highest, at the share t of the run."""
    if plan.name == "step":
        return plan.factor ** math.floor(t / plan.every + 1e-9)
    if plan.name == "exponential":
        return math.exp(-plan.decay * t)
    if plan.name == "inverse":
        return 1 / (1 + plan.decay * t)
    if plan.name == "cosine":
        return _fall(t)
    if plan.name == "onecycle":
        if t < RISE:
            return START + (1 - START) * (1 - _fall(t / RISE))
        return END + (1 - END) * _fall((t - RISE) / (1 - RISE))
    return 1.0


def _fall(t: float) -> float:
    """Half a cosine from 1 at t = 0 to 0 at t = 1."""
    return (1 + math.cos(math.pi * t)) / 2
