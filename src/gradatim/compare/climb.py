"""The climb: all rungs on the same folds, cheapest first, in worker processes of one thread."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from gradatim.compare.forecast import forecast
from gradatim.compare.job import Job, Rows, Work, behave, fit_fold, samples_of
from gradatim.compare.pool import side_by_side, workers
from gradatim.core.errors import CorruptError
from gradatim.core.samples import Samples
from gradatim.data.splits import Partition
from gradatim.runs.files import read_json, sweep, verify

__all__ = ["Event", "arrays", "climb", "fit_all", "forecasts"]


QUICK = 1.0
"""Seconds that a rung may always take: a climb out of time still has its baselines."""


@dataclass(frozen=True)
class Event:
    """Something that happened on the way up.

    `kind`: "measuring" (how long each rung will take), "planned" (seconds: a fold's forecast),
    "fitted" (result), "reused" (result) or "skipped" (reason).
    """

    kind: str
    rung: str
    fold: str = ""
    folds: int = 0
    seconds: float = 0.0
    result: Mapping[str, Any] | None = None
    reason: str = ""


def arrays(samples: Samples) -> Rows:
    """Return samples as arrays for other processes."""
    parts = {"inputs": samples.inputs, "targets": samples.targets}
    parts |= {"groups": samples.groups} if samples.groups is not None else {}
    parts |= {"times": samples.times} if samples.times is not None else {}
    return {name: tensor.numpy() for name, tensor in parts.items()}


def forecasts(works: Sequence[Work], rows: Rows, training: np.ndarray) -> dict[str, float]:
    """Return the seconds that a fit of each rung on these rows will take, measured side by side."""
    calls = (joblib.delayed(_forecast)(work, rows, training) for work in works)
    seconds = side_by_side(calls)
    return {work.name: s for work, s in zip(works, seconds, strict=True)}


def _forecast(work: Work, rows: Rows, training: np.ndarray) -> float:
    behave()
    try:
        samples = samples_of(rows, training)
        return forecast(work.rung, work.task, samples, work.signature, work.recipe)
    except Exception:  # noqa: BLE001  a rung that cannot even be timed will fail, and be shown, in its folds
        return 0.0


def climb(
    works: Sequence[Work],
    rows: Rows,
    split: Partition,
    folder: Path,
    planned: Mapping[str, float],
    deadline: float,
) -> Iterator[Event]:
    """Fit every rung, or variant of a rung, on every fold, yielding what happens.

    Fits that are already finished in `folder` are reused, so a climb goes on where it was cut off.
    A rung whose folds would end after the deadline is skipped.

    Args:
        works: rungs that accept the data, each name once.
        rows: all rows of the data.
        split: the folds.
        folder: of the run.
        planned: forecast seconds of one fit, by name.
        deadline: on `time.monotonic()`; infinity for none.
    """
    ready = sorted(works, key=lambda work: planned[work.name])
    total = len(split.folds)
    jobs: list[Job] = []
    skipped: list[Event] = []
    for work in ready:
        name = work.name
        yield Event("planned", name, folds=total, seconds=planned[name])
        for job in _jobs(work, split, folder):
            if _whole(job.folder):
                result = read_json(job.folder / "result.json")
                yield Event("reused", name, job.folder.name, total, result=result)
            else:
                jobs.append(job)
    affordable = _affordable(jobs, planned, deadline, skipped)
    calls = (joblib.delayed(fit_fold)(job, rows) for job in affordable)
    try:
        for result in side_by_side(calls, ordered=False):
            name, fold = result["rung"], f"{result['repeat']}-{result['fold']}"
            yield Event("fitted", name, fold, total, result.get("fit_seconds", 0.0), result)
    except BaseException:
        sweep(folder)  # workers that were ended could not remove what they were writing
        raise
    yield from skipped


def fit_all(
    works: Sequence[Work],
    samples: Samples,
    split: Partition,
    folder: Path,
    deadline: float,
    watch: Callable[[Event], None] | None = None,
) -> dict[str, str]:
    """Forecast, then climb to the end.

    Args:
        works: as for `climb`.
        samples: all of the data.
        split: the folds.
        folder: of the run, locked.
        deadline: on `time.monotonic()`; infinity for none.
        watch: called with everything that happens.

    Returns:
        Why the works that were skipped were skipped, by their names.
    """
    say = watch or (lambda event: None)
    say(Event("measuring", "", folds=len(works)))
    rows, skipped = arrays(samples), dict[str, str]()
    planned = forecasts(works, rows, split.folds[0].training)
    for event in climb(works, rows, split, folder, planned, deadline):
        if event.kind == "skipped":
            skipped[event.rung] = event.reason
        say(event)
    return skipped


def _jobs(work: Work, split: Partition, folder: Path) -> list[Job]:
    # Workers outlive a climb, and with it the working directory that a relative path starts from.
    place = folder.absolute() / "fits" / work.name
    return [
        Job(work, place / f.name, f.repeat, f.fold, f.training, f.validation) for f in split.folds
    ]


def _whole(fit: Path) -> bool:
    """Tell whether a fit was finished and is still what was written."""
    try:
        verify(fit)
    except CorruptError:
        return False
    return True


def _affordable(
    jobs: list[Job], planned: Mapping[str, float], deadline: float, skipped: list[Event]
) -> Iterator[Job]:
    """Hand out jobs while they fit the time, quick rungs always; asked anew before every fit."""
    dropped: set[str] = set()
    for i, job in enumerate(jobs):
        name = job.work.name
        left = sum(other.work.name == name for other in jobs[i:])
        rounds = -(-left // workers())
        needed = rounds * planned[name]
        late = time.monotonic() + needed > deadline and needed > QUICK
        if name not in dropped and late:
            dropped.add(name)
            minutes = max(0.1, needed / 60)
            reason = f"needs about {minutes:.1f} minutes"
            skipped.append(Event("skipped", name, reason=reason))
        if name not in dropped:
            yield job
