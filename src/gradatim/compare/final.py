"""The chosen rung, fitted once more on all training rows."""

from math import inf
from pathlib import Path

import numpy as np

from gradatim.compare.clusters.arrival import arrived
from gradatim.compare.fits import fit_one
from gradatim.compare.job import Rows, Work, samples_of
from gradatim.compare.pool import HERE, Crew, delayed, side_by_side
from gradatim.compare.worker import behave
from gradatim.runs import disk
from gradatim.runs.model_folder import save_model
from gradatim.train.lasting import CHECKPOINTS

__all__ = ["refit"]


def refit(
    folder: Path,
    work: Work,
    rows: Rows,
    training: np.ndarray,
    metric: str,
    deadline: float = inf,
    crew: Crew = HERE,
) -> bool:
    """Fit in a worker of one thread, as the folds were, and write `folder/model`.

    Returns:
        Whether the time was over before the training was.
    """
    folder = folder.absolute()  # workers may have another working directory
    call = delayed(_refit, folder, work, rows, training, metric, deadline)
    (late,) = side_by_side([call], on=crew)
    arrived(folder / "model" / "model.json")
    return bool(late)


def _refit(
    folder: Path, work: Work, rows: Rows, training: np.ndarray, metric: str, deadline: float
) -> bool:
    behave()
    fitted = fit_one(work, samples_of(rows, training), folder, deadline)
    card = "The model card follows when the test split was opened.\n"
    model, task = fitted.model, work.task.name
    save_model(folder / "model", model, work.rung, work.signature, task, metric, card)
    disk.remove_tree(folder / CHECKPOINTS)
    return fitted.late
