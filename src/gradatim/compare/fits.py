"""Fits in a worker process: one alone, or folds together; rows in, finished fit folders out."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from gradatim import __version__
from gradatim.compare.costs import measure
from gradatim.compare.job import Job, Rows, Work, samples_of
from gradatim.compare.worker import behave
from gradatim.core.errors import CorruptError, ResourceError
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.evaluate.answers import keep_answers
from gradatim.evaluate.judge import scores_of
from gradatim.runs import disk
from gradatim.runs.files import finish, write_json
from gradatim.train.fitting import Fitting
from gradatim.train.lasting import CHECKPOINTS, RECORDS, Lasting, record_line
from gradatim.train.loop import Record, out_of_memory
from gradatim.train.stacked import Stacked, alike

__all__ = ["STACKS", "Fitted", "fit_fold", "fit_folds", "fit_one"]

STACKS = "stacks"
"""In a run folder: the checkpoints and records of folds that are trained as one model."""


@dataclass(frozen=True)
class Fitted:
    """A fitted model and what it took; `late` when the time was over before the training was."""

    model: Model
    seconds: float
    epochs: int
    late: bool = False


def fit_folds(jobs: Sequence[Job], rows: Rows, deadline: float = inf) -> list[dict[str, Any]]:
    """Fit folds in a worker process, as one model where they can be stacked.

    Args:
        jobs: of the same rung.
        rows: all rows of the data.
        deadline: on `time.monotonic()`; a fit that is not done by then leaves a checkpoint.

    Returns:
        The results, in the order of the jobs; those that were late hold "late" and no scores.
    """
    behave()
    if len(jobs) == 1:
        return [fit_fold(jobs[0], rows, deadline)]
    try:
        fittings = [_fitting(job.work, samples_of(rows, job.training)) for job in jobs]
    except Exception:  # noqa: BLE001  one that cannot even begin says so alone, and the others fit
        return [fit_fold(job, rows, deadline) for job in jobs]
    results: dict[int, dict[str, Any]] = {}
    while left := [i for i in range(len(jobs)) if i not in results]:
        places = [i for i in left if alike([fittings[left[0]], fittings[i]])] or left[:1]
        together = [jobs[i] for i in places]
        if len(places) == 1:
            results[places[0]] = fit_fold(together[0], rows, deadline)
        else:
            fits = _fit_together(together, [fittings[i] for i in places], rows, deadline)
            results |= dict(zip(places, fits, strict=True))
    return [results[i] for i in range(len(jobs))]


def fit_fold(job: Job, rows: Rows, deadline: float = inf) -> dict[str, Any]:
    """Fit one fold in a worker process; a fit that fails is a result too, and says why."""
    behave()
    training = samples_of(rows, job.training)
    try:
        fitted = fit_one(job.work, training, job.folder, deadline)
    except (ResourceError, CorruptError):
        raise  # of the disk, not of the rung: the climb ends, and goes on when that is mended
    except Exception as error:  # noqa: BLE001  whatever a fit dies of, the climb goes on and shows it
        return _leave(job, rows, error)
    return _leave(job, rows, fitted)


def fit_one(work: Work, samples: Samples, folder: Path, deadline: float = inf) -> Fitted:
    """Fit on these samples, with records and checkpoints in `folder`."""
    start = time.perf_counter()
    fitting = _fitting(work, samples)
    lasting = Lasting(fitting, folder, _meaning([work], [samples]), deadline)
    for _ in lasting:
        pass
    epochs = len((folder / RECORDS).read_bytes().splitlines())
    return Fitted(fitting.model, time.perf_counter() - start, epochs, lasting.late)


def _fit_together(
    jobs: Sequence[Job], fittings: Sequence[Fitting], rows: Rows, deadline: float
) -> list[dict[str, Any]]:
    """Fit as one model, or, where the memory holds no more than one, one after the other."""
    try:
        return _fit_stack(jobs, fittings, rows, deadline)
    except (ResourceError, CorruptError):
        raise  # as in `fit_fold`
    except Exception as error:  # noqa: BLE001  whatever a stack dies of, the climb goes on
        if isinstance(error, RuntimeError) and out_of_memory(error):
            return [fit_fold(job, rows, deadline) for job in jobs]
        return [_leave(job, rows, error) for job in jobs]


def _fit_stack(
    jobs: Sequence[Job], fittings: Sequence[Fitting], rows: Rows, deadline: float
) -> list[dict[str, Any]]:
    """Fit as one model; each fold gets its share of the seconds."""
    start = time.perf_counter()
    meaning = _meaning([job.work for job in jobs], [fitting.samples for fitting in fittings])
    folder = jobs[0].folder.parents[2] / STACKS / meaning["fit"][:12]
    stacked = Stacked(fittings)
    lasting = Lasting(stacked, folder, meaning, deadline)
    for _ in lasting:
        pass
    if lasting.late:
        return [_facts(job) | {"late": True} for job in jobs]
    seconds = (time.perf_counter() - start) / len(jobs)
    epochs = _deal(folder / RECORDS, jobs)
    results = []
    for i, (job, fitting) in enumerate(zip(jobs, fittings, strict=True)):
        fitted = Fitted(fitting.model, seconds, epochs[i])
        extra = {"stacked": len(jobs)}
        results.append(_leave(job, rows, stacked.failed.get(i, fitted), extra))
    disk.remove_tree(folder)
    return results


def _deal(records: Path, jobs: Sequence[Job]) -> list[int]:
    """Give each fold its own records; return how many each has."""
    lines: dict[int, list[str]] = {i: [] for i in range(len(jobs))}
    for line in records.read_text().splitlines():
        values = json.loads(line)
        place = values.pop("place", 0)
        lines[place].append(record_line(Record(**values)))
    for job, own in zip(jobs, lines.values(), strict=True):
        disk.write(job.folder / RECORDS, "".join(own).encode())
    return [len(own) for own in lines.values()]


def _fitting(work: Work, samples: Samples) -> Fitting:
    return Fitting(work.rung, work.task, samples, work.signature, work.recipe)


def _meaning(works: Sequence[Work], samples: Sequence[Samples]) -> dict[str, str]:
    """Return what tells a checkpoint of these fits from that of others."""
    told = hashlib.sha256()
    for work, rows in zip(works, samples, strict=True):
        told.update(f"{work.name} {work.rung.model_dump_json()}".encode())
        told.update(work.recipe.model_dump_json().encode())
        told.update(rows.targets.numpy().tobytes())
        if rows.numbers is not None:
            told.update(rows.numbers.numpy().tobytes())
    return {"fit": told.hexdigest(), "gradatim": __version__}


def _facts(job: Job) -> dict[str, Any]:
    return {"rung": job.work.name, "repeat": job.repeat, "fold": job.fold}


def _leave(
    job: Job, rows: Rows, fitted: Fitted | Exception, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Write what a fit has come to, and declare its folder complete."""
    result, names = _facts(job) | dict(extra or {}), ["result.json"]
    try:
        if isinstance(fitted, Exception):
            raise fitted
        if fitted.late:
            return result | {"late": True}
        scored, kept = _scored(job, fitted, samples_of(rows, job.validation))
        result |= scored
        names += [*kept, RECORDS]
    except ResourceError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a fit dies of, the climb goes on and shows it
        result["failed"] = f"{type(error).__name__}: {error}"[:300]
    write_json(job.folder / "result.json", result)
    finish(job.folder, names)
    disk.remove_tree(job.folder / CHECKPOINTS)
    return result


def _scored(job: Job, fitted: Fitted, checked: Samples) -> tuple[dict[str, Any], list[str]]:
    """Judge a fit; return what is known of it, and the names of the files with its answers."""
    model, task = fitted.model, job.work.task
    predictions = task.answers(model, checked)
    if predictions.dtype.kind == "f" and not np.isfinite(predictions).all():
        raise ArithmeticError("the predictions hold NaN or infinite numbers")
    reading = task.read(predictions, checked)
    kept = keep_answers(job.folder, checked, predictions, task.quality(reading))
    facts: dict[str, Any] = {"fit_seconds": fitted.seconds, "epochs": fitted.epochs}
    facts["rows"] = len(job.training)
    facts["scores"] = scores_of(task, reading)
    facts["note"] = getattr(model.network, "note", "")
    curve = getattr(model.network, "curve", None)
    if curve is not None:
        facts["curve"] = curve
    if job.repeat == job.fold == 0:
        facts["costs"] = measure(model, job.work.task.asked(checked)).as_dict()
    return facts, kept
