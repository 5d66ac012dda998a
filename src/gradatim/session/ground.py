"""What variants of one rung are compared on: data, folds, metric; and comparing them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradatim import __version__
from gradatim.compare.climb import Event, arrays, climb, forecasts
from gradatim.compare.job import Work
from gradatim.compare.leaderboard import Ladder, compared
from gradatim.compare.variant import Variant
from gradatim.core.errors import ConfigError
from gradatim.core.metric import Metric
from gradatim.core.rung import Rung, Trained
from gradatim.core.samples import Dataset
from gradatim.core.task import Supervised
from gradatim.data.splits import Partition, partition
from gradatim.session.data_options import Chosen
from gradatim.session.objects import choose_metric, choose_rungs, task_for

__all__ = ["Ground", "Watch", "compare_on", "ground"]

Watch = Callable[[Event], None]


@dataclass(frozen=True)
class Ground:
    """Opened data with its folds, and the rung; `question` is what was asked so far."""

    data: Dataset
    split: Partition
    task: Supervised
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
    chosen.check(seed)
    choice = choose_rungs([rung])[0]
    if not isinstance(choice, Trained):
        text = f"{rung} is solved, not trained: no optimizer and no learning rate is asked"
        raise ConfigError(f"{text}; choose a trained rung, such as --rung mlp")
    dataset, split = partition(chosen.open(data), chosen.folds, chosen.repeats, seed)
    task = task_for(dataset.signature)
    judge = choose_metric(task, chosen.metric, dataset)
    refusal = choice.accepts(dataset.signature)
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
    return Ground(dataset, split, task, judge, choice, question)


def compare_on(
    place: Ground,
    works: Sequence[Work],
    variants: Sequence[Variant],
    folder: Path,
    *,
    deadline: float = math.inf,
    rope: float | None = None,
    reference: str | None = None,
    watch: Watch | None = None,
) -> Ladder:
    """Fit every work on every fold, going on where the folder was left, and compare the scores.

    Args:
        place: data and folds.
        works: one a variant, of its name.
        variants: in the order of the table.
        folder: of the run, locked.
        deadline: on `time.monotonic()`.
        rope: as for `climb`.
        reference: the name of the one that all others are compared with.
        watch: called with everything that happens.
    """
    say = watch or (lambda event: None)
    rows = arrays(place.data.samples)
    say(Event("measuring", "", folds=len(works)))
    planned = forecasts(works, rows, place.split.folds[0].training)
    excused: dict[str, tuple[str, str, str]] = {}
    for event in climb(works, rows, place.split, folder, planned, deadline):
        if event.kind == "skipped":
            excused[event.rung] = ("not tried", event.reason, "give more time: --minutes")
        say(event)
    return compared(folder, variants, place.split, place.metric, excused, rope, reference)
