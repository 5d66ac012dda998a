"""The range test: one short run over all learning rates, from much too low to too high."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite, log10
from typing import Any

from gradatim.core.errors import NumericError
from gradatim.core.recipe import Recipe
from gradatim.core.rung import Trained
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.core.task import Task
from gradatim.train.fitting import Fitting
from gradatim.train.loop import train

__all__ = ["RangeTest", "range_test", "suggest"]

MEMORY = 0.9  # of the smoothed loss
BROKEN = 4.0  # times the lowest smoothed loss, from which on the test ends
TENTH = 0.1  # of a test, which the smoothed loss needs before it says something


@dataclass(frozen=True)
class RangeTest:
    """Losses of the batches, and smoothed, as the rate rises by the same factor every step.

    `steepest` is the rate at which the smoothed loss falls fastest over log rate, `lowest` that at
    which it is lowest, and `suggested` the lower of steepest and a tenth of lowest. `ended` says
    why the rates end where they do.
    """

    rates: Sequence[float]
    losses: Sequence[float]
    smoothed: Sequence[float]
    steepest: float
    lowest: float
    suggested: float
    ended: str

    def as_dict(self) -> dict[str, Any]:
        """Return the test under its names."""
        return asdict(self)


def range_test(
    rung: Trained,
    task: Task,
    samples: Samples,
    signature: Signature,
    recipe: Recipe,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 150,
) -> RangeTest:
    """Train once while the rate grows: rate_s = low (high / low)^(s / (steps - 1)).

    The smoothed loss is L_s = (0.9 L_{s-1} + 0.1 loss_s), over 1 - 0.9^(s + 1). The test ends when
    it is four times its lowest, or when a loss or gradient is not finite.

    Args:
        rung: what is trained.
        task: gives the loss.
        samples: of training.
        signature: of the data.
        recipe: whose schedule is left out of the count.
        low: first rate, above 0.
        high: last rate, above low.
        steps: at the most, 10 or more.

    Raises:
        NumericError: so few steps were finite that nothing can be said.

    Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.3;
        course 000, "Which one of these learning rates is best to use?".
    Deviations: the rate grows exponentially, not linearly; the loss is smoothed.
    """
    fitting = Fitting(rung, task, samples, signature, recipe)
    fitting.learner.schedule = lambda step: low * (high / low) ** (step / (steps - 1))
    rates, losses, smoothed = list[float](), list[float](), list[float]()
    average, ended = 0.0, "the highest rate was reached"
    try:
        records = train(fitting.trainee, fitting.learner, fitting.draw, steps, 1)
        for record in filter(None, records):
            loss = record.values["loss"]
            average = MEMORY * average + (1 - MEMORY) * loss
            rates.append(record.rate)
            losses.append(loss)
            smoothed.append(average / (1 - MEMORY ** len(rates)))
            if len(rates) > TENTH * steps and smoothed[-1] > BROKEN * min(smoothed):
                ended = "the loss rose to four times its lowest"
                break
    except NumericError:
        ended = "the loss was no longer finite"
    if len(rates) < max(10, TENTH * steps) or not isfinite(smoothed[-1]):
        raise NumericError(f"the range test broke at a rate of {low:.3g}; try a lower --low")
    steepest, lowest = suggest(rates, smoothed)
    suggested = min(steepest, lowest / 10)
    return RangeTest(rates, losses, smoothed, steepest, lowest, suggested, ended)


def suggest(rates: Sequence[float], smoothed: Sequence[float]) -> tuple[float, float]:
    """Return the rate of the steepest fall and the rate of the lowest smoothed loss.

    The slope is that of straight lines through a tenth of the points, at their middle; it counts
    up to the lowest loss. Where the loss falls nowhere, both are the lowest's.

    Args:
        rates: rising by a constant factor, at least 3.
        smoothed: finite losses.

    >>> suggest([1e-3, 1e-2, 1e-1, 1.0], [2.0, 1.9, 1.0, 5.0])
    (0.0316..., 0.1)
    """
    bottom = min(range(len(smoothed)), key=smoothed.__getitem__)
    width = max(1, len(rates) // 10)
    slopes = {
        (log10(rates[i]) + log10(rates[i + width])) / 2: smoothed[i + width] - smoothed[i]
        for i in range(max(0, bottom - width + 1))
    }
    if not slopes or min(slopes.values()) >= 0:
        return rates[bottom], rates[bottom]
    return 10 ** min(slopes, key=slopes.__getitem__), rates[bottom]
