"""Judging a fitted model on rows it has not seen."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gradatim.core.metric import Metric
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.task import Task
from gradatim.ops.intervals import bootstrap_interval, wilson

__all__ = ["Judgement", "judge", "known", "scores_of"]


@dataclass(frozen=True)
class Judgement:
    """Scores on one set of rows, with a 95 % interval of the chosen metric.

    `quality` is how good each row's answer is, where the task says so (`Task.quality`);
    `curve` is precision and recall, where it says that (`Task.curve`); `remark` is what it says
    beside a score (`Task.remark`).
    """

    score: float
    low: float
    high: float
    scores: Mapping[str, float | None]
    predictions: np.ndarray
    quality: np.ndarray | None = None
    curve: Mapping[str, np.ndarray] = field(default_factory=dict)
    remark: str = ""


def scores_of(task: Task, reading: tuple[np.ndarray, np.ndarray]) -> dict[str, float | None]:
    """Return every metric of the task; None where one is undefined (AUC of a single class)."""
    values = {name: metric(*reading) for name, metric in task.metrics.items()}
    return {name: known(value) for name, value in values.items()}


def known(value: float) -> float | None:
    """Return a score, or None for one that is undefined: JSON has no NaN."""
    return value if math.isfinite(value) else None


def judge(model: Model, task: Task, metric: Metric, samples: Samples) -> Judgement:
    """Score a model on rows it has not seen.

    The interval is Wilson's for accuracy, with as many trials as there are groups when rows belong
    together; else the percentile bootstrap over rows or groups.
    """
    said = task.answers(model, samples)
    predictions, targets = reading = task.read(said, samples)
    score = metric(predictions, targets)
    groups = None if samples.groups is None else samples.groups.numpy()
    if metric.name == "accuracy":
        units = len(targets) if groups is None else len(np.unique(groups))
        low, high = wilson(round(score * units), units)
    else:
        low, high = bootstrap_interval(
            lambda rows: metric(predictions[rows], targets[rows]),
            len(targets),
            groups,
            centre=score if metric.biased else None,
        )
    scores, quality = scores_of(task, reading), task.quality(reading)
    curve, remark = task.curve(reading), task.remark(said, samples)
    return Judgement(score, low, high, scores, said, quality, curve, remark)
