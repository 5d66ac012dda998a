"""What recipes of one rung are compared on: data, folds, metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from gradatim import __version__
from gradatim.core.errors import ConfigError
from gradatim.core.metric import Metric
from gradatim.core.rung import Rung, Trained
from gradatim.core.samples import Dataset
from gradatim.core.task import Task
from gradatim.data.splits import Partition, partition
from gradatim.session.data_options import Chosen
from gradatim.session.objects import choose_metric, choose_rungs, task_for

__all__ = ["Ground", "ground"]


@dataclass(frozen=True)
class Ground:
    """Opened data with its folds, and the rung.

    `question` is what was asked so far; `begun` is when, on `time.monotonic()`.
    """

    chosen: Chosen
    begun: float

    data: Dataset
    split: Partition
    task: Task
    metric: Metric
    rung: Rung
    question: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """Return what a report says first."""
        folds, repeats = self.question["folds"], self.question["repeats"]
        return {
            "data": self.data.source,
            "name": self.data.name,
            "task": self.task.name,
            "rung": self.rung.name,
            "metric": self.metric.name,
            "direction": self.metric.direction,
            "folds": len(self.split.folds) // repeats if repeats else folds,
            "repeats": repeats,
            "seed": self.question["seed"],
            "split_hash": self.split.hash,
            "rows": len(self.data),
            "train_rows": len(self.split.training),
        }


def ground(data: Any, chosen: Chosen, rung: str, seed: int) -> Ground:
    """Open data, cut its folds and choose metric and rung.

    Args:
        data: as for `climb`.
        chosen: how it is read and compared.
        rung: the name of a trained rung.
        seed: of the splits.

    Raises:
        ConfigError: a number is out of range; the rung is solved, so it has no recipe, or does not
            take the data.
        DataError: the data cannot be used.
    """
    begun = monotonic()
    chosen.check(seed)
    choice = choose_rungs([rung])[0]
    if not isinstance(choice, Trained):
        text = f"{rung} is solved, not trained: no optimizer and no learning rate is asked"
        raise ConfigError(f"{text}; choose a trained rung, such as --rung mlp")
    dataset, split = partition(chosen.open(data), chosen.folds, chosen.repeats, seed)
    task = task_for(dataset.signature)
    judge = choose_metric(task, chosen.metric, dataset)
    refusal = choice.refusal(dataset.signature)
    if refusal is not None:
        raise ConfigError(f"{rung} does not take {dataset.name}: {refusal}")
    question = chosen.question() | {
        "data": dataset.source,
        "fingerprint": dataset.fingerprint,
        "metric": judge.name,
        "seed": seed,
        "split_hash": split.hash,
        "folds": chosen.folds,
        "repeats": chosen.repeats,
        "rung": rung,
        "gradatim": __version__,
    }
    return Ground(chosen, begun, dataset, split, task, judge, choice, question)
