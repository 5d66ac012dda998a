"""Equal rows with different targets, and the limit they set to any model."""

from typing import Literal

import numpy as np

from gradatim.core.samples import Dataset, Finding
from gradatim.data.doctor.twins import twin_rows
from gradatim.data.doctor.view import class_names, counted, names, open_rows, targets

__all__ = ["contradictions"]

ROUNDING = 64 * np.finfo(np.float64).eps


def contradictions(dataset: Dataset, sets: np.ndarray, usual: bool = False) -> list[Finding]:
    """Find equal rows whose targets differ; where equal rows are usual that is a note only.

    For classes the message gives the best share right that any function of the inputs can reach
    on these rows, for a quantity the least root mean squared error.
    """
    answers, rows = targets(dataset), open_rows(dataset)
    if answers is None or not len(twin_rows(sets[rows])):
        return []
    sets, answers = np.unique(sets[rows], return_inverse=True)[1], answers[rows]
    differ = _differ(sets, answers)
    torn = np.flatnonzero(differ[sets])
    if not len(torn):
        return []
    torn = torn[np.argsort(sets[torn], kind="stable")]
    limit = _best(sets, answers) if class_names(dataset) else _least(sets, answers)
    text = f"{counted(len(torn), 'row')} in {counted(int(differ.sum()), 'set')} of equal inputs "
    text += f"have different targets, so on these {len(sets):,} rows {limit}."
    remedy = "check the labels of the rows named, or add a column that tells them apart"
    weight: Literal["note", "warning"] = "note" if usual else "warning"
    rows = rows[torn]
    return [Finding("contradictory-labels", weight, text, remedy, names(dataset, rows))]


def _differ(sets: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Tell which sets have targets that differ by more than rounding."""
    order = np.argsort(sets, kind="stable")
    starts = np.flatnonzero(np.diff(sets[order], prepend=-1))
    low = np.minimum.reduceat(answers[order], starts)
    high = np.maximum.reduceat(answers[order], starts)
    return np.any(high - low > ROUNDING * np.maximum(np.abs(low), np.abs(high)), axis=1)


def _best(sets: np.ndarray, answers: np.ndarray) -> str:
    pairs, counts = np.unique(np.column_stack([sets, answers[:, 0]]), axis=0, return_counts=True)
    most = np.zeros(sets.max() + 1)
    np.maximum.at(most, pairs[:, 0].astype(np.int64), counts)
    return f"no model's accuracy can pass {most.sum() / len(sets):.4f}"


def _least(sets: np.ndarray, answers: np.ndarray) -> str:
    scale = max(float(np.abs(answers).max()), np.finfo(np.float64).tiny)
    mean = np.zeros((sets.max() + 1, answers.shape[1]))
    np.add.at(mean, sets, answers / scale)
    mean /= np.bincount(sets)[:, None]
    rmse = scale * np.sqrt(np.mean((answers / scale - mean[sets]) ** 2))
    return f"no model's RMSE can be below {rmse:.4g}"
