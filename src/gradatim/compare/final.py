"""The chosen rung, fitted once more on all training rows."""

from pathlib import Path

import joblib
import numpy as np

from gradatim.compare.job import Rows, Work, behave, fit_one, samples_of
from gradatim.compare.pool import side_by_side
from gradatim.runs.model_folder import save_model

__all__ = ["refit"]


def refit(folder: Path, work: Work, rows: Rows, training: np.ndarray, metric: str) -> None:
    """Fit in a worker of one thread, as the folds were, and write `folder/model`."""
    folder = folder.absolute()  # workers may have another working directory
    list(side_by_side([joblib.delayed(_refit)(folder, work, rows, training, metric)]))


def _refit(folder: Path, work: Work, rows: Rows, training: np.ndarray, metric: str) -> None:
    behave()
    samples = samples_of(rows, training)
    (folder / "model").mkdir(parents=True, exist_ok=True)
    model, _, _ = fit_one(work, samples, folder / "records.jsonl")
    card = "The model card follows when the test split was opened.\n"
    save_model(folder / "model", model, work.rung, work.signature, work.task.name, metric, card)
