"""What is kept of a model's answers, for the report."""

from pathlib import Path

import numpy as np

from gradatim.core.samples import Samples
from gradatim.runs.files import write_array, write_arrays

__all__ = ["SHOWN", "keep_answers"]

SHOWN = 6
"""Rows of a set of rows whose masks, boxes or pictures are kept to be looked at."""


def keep_answers(
    folder: Path,
    samples: Samples,
    predictions: np.ndarray,
    quality: np.ndarray | None,
    prefix: str = "",
) -> list[str]:
    """Write answers to a folder; return the names of the files.

    Probabilities and quantities are all kept (`predictions.npy`). Of masks, boxes and pictures,
    which may be large, `quality.npy` is kept for every row and `shown.npz` for some rows that are
    spread evenly, the same for every rung: their numbers (`rows`) and `predictions`.
    """
    if quality is None:
        write_array(folder / f"{prefix}predictions.npy", predictions)
        return [f"{prefix}predictions.npy"]
    some = np.unique(np.linspace(0, len(samples) - 1, SHOWN).round().astype(np.int64))
    numbers = np.arange(len(samples)) if samples.numbers is None else samples.numbers.numpy()
    write_array(folder / f"{prefix}quality.npy", quality.astype(np.float64))
    kept = {"rows": numbers[some], "predictions": predictions[some]}
    write_arrays(folder / f"{prefix}shown.npz", kept)
    return [f"{prefix}quality.npy", f"{prefix}shown.npz"]
