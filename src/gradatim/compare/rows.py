"""What a row of the data looks like: cells as text, pictures, sequences, spectrograms."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from gradatim.core.samples import Dataset
from gradatim.core.signature import Series, Sound, Table
from gradatim.layers.sound.log_mel import picture_of_sound

__all__ = ["bright", "cells_of", "to_see"]

SPECTRUM = 96  # pixels that a recording is wide


def to_see(data: Dataset, inputs: Tensor) -> tuple[str, np.ndarray]:
    """Return how rows are to be drawn, and what they look like."""
    if isinstance(data.signature.input, Sound):
        return "spectrograms", _spectrograms(data.signature.input, inputs)
    return "sequences" if isinstance(data.signature.input, Series) else "pictures", inputs.numpy()


def _spectrograms(sound: Sound, recordings: Tensor) -> np.ndarray:
    """Return recordings as pictures of one width, which each of them fills."""
    pictures = [picture_of_sound(row.numpy(), sound.rate, SPECTRUM) for row in recordings]
    return np.stack(pictures)


def bright(pictures: np.ndarray, levels: int) -> np.ndarray:
    """Return pictures of few levels with the highest as white, so that they can be looked at.

    >>> bright(np.array([0, 8, 16], np.uint8), 17).tolist()
    [0, 128, 255]
    """
    if levels in (1, 256):
        return pictures
    return np.rint(pictures * (255 / (levels - 1))).clip(0, 255).astype(np.uint8)


def cells_of(table: Table, rows: Sequence[int], inputs: Tensor) -> dict[str, Any]:
    """Return `columns`, their names, and `cells`: those of each row by its number."""
    cells = {str(r): _cells(table, x) for r, x in zip(rows, inputs, strict=True)}
    return {"columns": [column.name for column in table.columns], "cells": cells}


def _cells(table: Table, row: Tensor) -> list[str]:
    """Return the cells of a row as a person would write them; a missing one is empty."""
    texts = []
    for column, value in zip(table.columns, row.tolist(), strict=True):
        if value != value:
            texts.append("")
        elif column.values and 0 <= value < len(column.values):
            texts.append(column.values[int(value)])
        elif column.kind == "date":
            texts.append(str(np.datetime64("1970-01-01") + np.timedelta64(int(value), "D")))
        else:
            texts.append("other" if column.values else f"{value:.6g}")
    return texts
