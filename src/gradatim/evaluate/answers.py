"""What is kept of a model's answers, for the report."""

from pathlib import Path

import numpy as np

from gradatim.core.samples import Samples
from gradatim.runs.files import write_array, write_arrays

__all__ = ["SHOWN", "keep_answers"]

SHOWN, MOST = 6, 24
"""Rows of a set of rows whose answers are kept to be looked at: more where rows are small."""
ROOM = 100_000  # bytes of rows of which more than SHOWN are kept


def keep_answers(
    folder: Path,
    samples: Samples,
    predictions: np.ndarray,
    quality: np.ndarray | None,
    prefix: str = "",
) -> list[str]:
    """Write answers to a folder; return the names of the files.

    Probabilities and quantities are all kept (`predictions.npy`). Of other answers, such as masks,
    pictures and sentences, which may be large, `quality.npy` is kept for every row and `shown.npz`
    for some rows that are spread evenly, the same for every rung: their numbers (`rows`) and
    `predictions`.
    """
    if quality is None:
        write_array(folder / f"{prefix}predictions.npy", predictions)
        return [f"{prefix}predictions.npy"]
    # By the rows, not by the answers to them, whose size may differ from rung to rung.
    each = max(1, samples.inputs.nbytes // max(1, len(samples)))
    count = min(max(SHOWN, ROOM // each), MOST)
    some = np.unique(np.linspace(0, len(samples) - 1, count).round().astype(np.int64))
    numbers = np.arange(len(samples)) if samples.numbers is None else samples.numbers.numpy()
    write_array(folder / f"{prefix}quality.npy", quality.astype(np.float64))
    kept = {"rows": numbers[some], "predictions": predictions[some]}
    write_arrays(folder / f"{prefix}shown.npz", kept)
    return [f"{prefix}quality.npy", f"{prefix}shown.npz"]
