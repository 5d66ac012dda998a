"""Judging a fitted model on rows it has not seen."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradatim.core.metric import Metric
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.task import Supervised
from gradatim.layers.chunks import in_chunks
from gradatim.ops.intervals import bootstrap_interval, wilson

__all__ = ["Judgement", "judge", "known", "predict", "scores_of", "truth"]


@dataclass(frozen=True)
class Judgement:
    """Scores on one set of rows, with a 95 % interval of the chosen metric."""

    score: float
    low: float
    high: float
    scores: Mapping[str, float | None]
    predictions: np.ndarray


def predict(model: Model, task: Supervised, samples: Samples) -> np.ndarray:
    """Return probabilities (rows, classes) or quantities (rows,)."""
    return task.decode(in_chunks(model, samples.inputs))


def truth(samples: Samples) -> np.ndarray:
    """Return the targets as the metrics read them, of shape (rows,)."""
    targets = samples.targets.numpy()
    return targets if targets.ndim == 1 else targets[:, 0]


def scores_of(
    task: Supervised, predictions: np.ndarray, targets: np.ndarray
) -> dict[str, float | None]:
    """Return every metric of the task; None where one is undefined (AUC of a single class)."""
    values = {name: metric(predictions, targets) for name, metric in task.metrics.items()}
    return {name: known(value) for name, value in values.items()}


def known(value: float) -> float | None:
    """Return a score, or None for one that is undefined: JSON has no NaN."""
    return value if math.isfinite(value) else None


def judge(model: Model, task: Supervised, metric: Metric, samples: Samples) -> Judgement:
    """Score a model on rows it has not seen.

    The interval is Wilson's for accuracy, with as many trials as there are groups when rows belong
    together; else the percentile bootstrap over rows or groups.
    """
    predictions, targets = predict(model, task, samples), truth(samples)
    score = metric(predictions, targets)
    groups = None if samples.groups is None else samples.groups.numpy()
    if metric.name == "accuracy":
        units = len(targets) if groups is None else len(np.unique(groups))
        low, high = wilson(round(score * units), units)
    else:
        low, high = bootstrap_interval(
            lambda rows: metric(predictions[rows], targets[rows]), len(targets), groups
        )
    return Judgement(score, low, high, scores_of(task, predictions, targets), predictions)
