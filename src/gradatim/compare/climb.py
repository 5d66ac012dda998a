"""The climb: all rungs on the same folds, cheapest first, in worker processes of one thread."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.compare.bundles import affordable, bundled, filling
from gradatim.compare.clusters.arrival import arrived
from gradatim.compare.fits import STACKS, fit_folds
from gradatim.compare.forecast import Forecast, forecast
from gradatim.compare.job import Job, Rows, Work, samples_of
from gradatim.compare.pool import HERE, Crew, delayed, side_by_side, workers
from gradatim.compare.worker import behave
from gradatim.core.samples import Samples
from gradatim.data.splits import Partition
from gradatim.runs import disk
from gradatim.runs.files import is_whole, read_json, sweep, write_json
from gradatim.train.lasting import CHECKPOINTS

__all__ = ["Event", "arrays", "climb", "fit_all", "forecasts"]


PLAN = "plan.json"


@dataclass(frozen=True)
class Event:
    """Something that happened on the way up.

    `kind`: "measuring" (how long each rung will take), "planned" (seconds: a fold's forecast),
    "fitted" (result), "reused" (result), "skipped" (reason), or "read" (the rung is a pass over a
    table, the fold how many of `folds` parts of it are done).
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
    names = ("inputs", "targets", "groups", "times", "sizes")
    parts = {name: getattr(samples, name) for name in names}
    return {name: tensor.numpy() for name, tensor in parts.items() if tensor is not None}


def forecasts(
    works: Sequence[Work], rows: Rows, training: np.ndarray, folds: int = 1, crew: Crew = HERE
) -> dict[str, Forecast]:
    """Return what a fit of each rung on these rows will take, measured side by side.

    Args:
        works: rungs that accept the data.
        rows: all rows of the data.
        training: the rows of a training fold.
        folds: how many there are, which may be trained as one model.
        crew: who measures.
    """
    calls = (delayed(_forecast, work, rows, training, folds) for work in works)
    told = side_by_side(calls, on=crew)
    return {work.name: forecast for work, forecast in zip(works, told, strict=True)}


def _forecast(work: Work, rows: Rows, training: np.ndarray, folds: int) -> Forecast:
    behave()
    try:
        samples = samples_of(rows, training)
        return forecast(work.rung, work.task, samples, work.signature, work.recipe, folds)
    except Exception:  # noqa: BLE001  a rung that cannot even be timed will fail, and be shown, in its folds
        return Forecast(0.0)


def climb(
    works: Sequence[Work],
    rows: Rows,
    split: Partition,
    folder: Path,
    planned: Mapping[str, Forecast],
    deadline: float,
    crew: Crew = HERE,
) -> Iterator[Event]:
    """Fit every rung, or variant of a rung, on every fold, yielding what happens.

    Fits that are already finished in `folder` are reused, so a climb goes on where it was cut off.
    A rung whose folds would end after the deadline is skipped.

    Args:
        works: rungs that accept the data, each name once.
        rows: all rows of the data.
        split: the folds.
        folder: of the run.
        planned: of one fit, by name.
        deadline: on `time.monotonic()`; infinity for none.
        crew: who fits.
    """
    ready = sorted(works, key=lambda work: planned[work.name].seconds)
    total, skipped = len(split.folds), dict[str, str]()
    for work in ready:
        yield Event("planned", work.name, folds=total, seconds=planned[work.name].seconds)
    bundles = bundled([job for work in ready for job in _jobs(work, split, folder)], planned)
    left = [bundle for bundle in bundles if not all(map(is_whole, bundle.folders))]
    done = {fit for b in bundles for fit in b.folders} - {fit for b in left for fit in b.folders}
    for fit in sorted(done):
        disk.remove_tree(fit / CHECKPOINTS)  # a kill may have come before that
        result = read_json(fit / "result.json")
        yield Event("reused", result["rung"], fit.name, total, result=result)
    if deadline == inf:  # with little time the cheap ones come first, all of them
        left = filling(left, workers(crew))
    chosen = affordable(left, deadline, workers(crew), skipped)
    end = deadline if crew is HERE else inf  # other machines have other clocks
    calls = (delayed(fit_folds, b.jobs, rows, end - b.after) for b in chosen)
    try:
        for results in side_by_side(calls, ordered=False, on=crew):
            yield from _told(results, folder, total, skipped)
    except BaseException:
        sweep(folder)  # workers that were ended could not remove what they were writing
        raise
    for name, reason in skipped.items():
        yield Event("skipped", name, reason=reason)


def _told(
    results: Sequence[Mapping[str, Any]], folder: Path, total: int, skipped: dict[str, str]
) -> Iterator[Event]:
    """Turn what a worker returned into events."""
    for result in results:
        name, fold = result["rung"], f"{result['repeat']}-{result['fold']}"
        if "late" in result:
            skipped.setdefault(name, "the time was over before its training was")
            continue
        arrived(folder / "fits" / name / fold / "complete.json")
        yield Event("fitted", name, fold, total, result.get("fit_seconds", 0.0), result)


def fit_all(
    works: Sequence[Work],
    samples: Samples,
    split: Partition,
    folder: Path,
    deadline: float,
    watch: Callable[[Event], None] | None = None,
    crew: Crew = HERE,
) -> dict[str, str]:
    """Forecast, then climb to the end.

    Args:
        works: as for `climb`.
        samples: all of the data.
        split: the folds.
        folder: of the run, locked.
        deadline: on `time.monotonic()`; infinity for none.
        watch: called with everything that happens.
        crew: who fits.

    Returns:
        Why the works that were skipped were skipped, by their names.
    """
    say = watch or (lambda event: None)
    rows, skipped = arrays(samples), dict[str, str]()
    planned = _plan(folder, works)
    if planned is None:
        say(Event("measuring", "", folds=len(works)))
        planned = forecasts(works, rows, split.folds[0].training, len(split.folds), crew)
        write_json(folder / PLAN, {name: plan.as_dict() for name, plan in planned.items()})
    for event in climb(works, rows, split, folder, planned, deadline, crew):
        if event.kind == "skipped":
            skipped[event.rung] = event.reason
        say(event)
    if not skipped:
        disk.remove_tree(folder / STACKS)
    return skipped


def _plan(folder: Path, works: Sequence[Work]) -> dict[str, Forecast] | None:
    """Return what was measured when the climb began: one that goes on takes the same way."""
    if not (folder / PLAN).is_file():
        return None
    kept = read_json(folder / PLAN)
    return {work.name: Forecast(**kept[work.name]) for work in works}


def _jobs(work: Work, split: Partition, folder: Path) -> list[Job]:
    # Workers outlive a climb, and with it the working directory that a relative path starts from.
    place = folder.absolute() / "fits" / work.name
    return [
        Job(work.of_fold(i), place / f.name, f.repeat, f.fold, f.training, f.validation)
        for i, f in enumerate(split.folds)
    ]
