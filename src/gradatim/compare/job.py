"""One fit as a piece of work for another process: rows in, a finished fit folder out."""

import json
import os
import signal
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gradatim.compare.costs import measure
from gradatim.core.recipe import Recipe
from gradatim.core.rung import Model, Rung
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.core.task import Supervised
from gradatim.evaluate.judge import predict, scores_of, truth
from gradatim.runs.files import finish, write_array, write_json
from gradatim.train.fitting import Fitting
from gradatim.train.loop import Record

__all__ = ["Job", "Rows", "Work", "fit_fold", "fit_one", "record_line"]

Rows = dict[str, np.ndarray]
"""Samples as arrays, which travel to other processes through shared memory."""


@dataclass(frozen=True)
class Work:
    """What all fits of a rung share.

    Several works may share a rung and differ in its settings or in the recipe: then each has the
    name of its `Variant`, under which its fits are kept.
    """

    rung: Rung
    recipe: Recipe
    task: Supervised
    signature: Signature
    variant: str = ""

    @property
    def name(self) -> str:
        """The name of the variant; of the rung, when it is the only one."""
        return self.variant or self.rung.name


@dataclass(frozen=True)
class Job:
    """One fit: learn from `training`, validate on `validation`, leave the result in `folder`."""

    work: Work
    folder: Path
    repeat: int
    fold: int
    training: np.ndarray
    validation: np.ndarray


def fit_fold(job: Job, rows: Rows) -> dict[str, Any]:
    """Fit one fold in a worker process; a fit that fails is a result too, and says why."""
    behave()
    job.folder.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"rung": job.work.name, "repeat": job.repeat, "fold": job.fold}
    names = ["result.json"]
    try:
        result |= _fit_and_score(job, rows)
        names += ["predictions.npy", "records.jsonl"]
    except Exception as error:  # noqa: BLE001  whatever a fit dies of, the climb goes on and shows it
        result["failed"] = f"{type(error).__name__}: {error}"[:300]
    write_json(job.folder / "result.json", result)
    finish(job.folder, names)
    return result


def fit_one(work: Work, samples: Samples, records: Path) -> tuple[Model, float, int]:
    """Fit on these samples, writing a line a record; return model, seconds and epochs."""
    start, epochs = time.perf_counter(), 0
    fitting = Fitting(work.rung, work.task, samples, work.signature, work.recipe)
    with records.open("w", encoding="utf-8") as file:
        for record in fitting:
            epochs += 1
            file.write(record_line(record))
            file.flush()
    return fitting.model, time.perf_counter() - start, epochs


def record_line(record: Record) -> str:
    """Return a record as one line of JSON."""
    return json.dumps(asdict(record), sort_keys=True) + "\n"


def behave() -> None:
    """Make this process a good worker: one thread, deaf to Ctrl-C, gone when its parent is."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if os.environ.get("GRADATIM_WORKER") != str(os.getpid()):
        os.environ["GRADATIM_WORKER"] = str(os.getpid())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def samples_of(rows: Rows, chosen: np.ndarray) -> Samples:
    """Return the chosen rows as samples, copied out of shared memory."""
    parts = {name: torch.from_numpy(np.asarray(array)[chosen]) for name, array in rows.items()}
    return Samples(parts["inputs"], parts["targets"], parts.get("groups"), parts.get("times"))


def _fit_and_score(job: Job, rows: Rows) -> dict[str, Any]:
    training, checked = samples_of(rows, job.training), samples_of(rows, job.validation)
    model, seconds, epochs = fit_one(job.work, training, job.folder / "records.jsonl")
    predictions = predict(model, job.work.task, checked)
    if not np.isfinite(predictions).all():
        raise ArithmeticError("the predictions hold NaN or infinite numbers")
    write_array(job.folder / "predictions.npy", predictions)
    facts: dict[str, Any] = {"fit_seconds": seconds, "epochs": epochs, "rows": len(training)}
    facts["scores"] = scores_of(job.work.task, predictions, truth(checked))
    facts["note"] = getattr(model.network, "note", "")
    curve = getattr(model.network, "curve", None)
    if curve is not None:
        facts["curve"] = curve
    if job.repeat == job.fold == 0:
        facts["costs"] = measure(model, checked.inputs).as_dict()
    return facts
