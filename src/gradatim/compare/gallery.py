"""The samples that a report may want to show, kept in the run so that the data is not needed."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from torch import Tensor

from gradatim.core.samples import Dataset
from gradatim.core.signature import Category, Series, Table
from gradatim.data.splits import Partition
from gradatim.runs.files import read_array, write_array, write_arrays, write_json

__all__ = ["keep_evidence", "keep_gallery"]

WORST, CHANGED = 48, 8


def keep_evidence(folder: Path, data: Dataset, split: Partition) -> None:
    """Write targets, row names and the split."""
    targets = data.samples.targets
    write_array(folder / "targets.npy", targets.numpy())
    write_arrays(folder / "split.npz", split.arrays())
    names = [str(name) for name in data.row_names]
    write_json(folder / "rows.json", {"names": names, "targets": _texts(data, targets)})
    write_json(folder / "signature.json", data.signature.model_dump(mode="json"))


def keep_gallery(
    folder: Path, data: Dataset, split: Partition, scored: list[str], chosen: str
) -> None:
    """Write the worst mistakes of the chosen rung, and what each rung changed."""
    mistakes = {name: _mistakes(folder, data, split, name) for name in {*scored, chosen}}
    rows: list[int] = list(_largest(mistakes[chosen], WORST))
    for below, rung in pairwise(scored):
        change = mistakes[below] - mistakes[rung]
        rows += [*_largest(change, CHANGED), *_largest(-change, CHANGED)]
    rows = sorted({int(r) for r in rows})
    inputs = data.samples.inputs[rows]
    if isinstance(data.signature.input, Table):
        cells = {str(r): _cells(data.signature.input, x) for r, x in zip(rows, inputs, strict=True)}
        columns = [c.name for c in data.signature.input.columns]
        write_json(folder / "gallery.json", {"columns": columns, "cells": cells})
    else:
        kind = "sequences" if isinstance(data.signature.input, Series) else "pictures"
        kept = {"rows": np.asarray(rows, dtype=np.int64), kind: inputs.numpy()}
        write_arrays(folder / "gallery.npz", kept)


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    order = np.argsort(-values, kind="stable")  # NaN sorts last
    return order[: min(count, int(np.isfinite(values).sum()))]


def _mistakes(folder: Path, data: Dataset, split: Partition, rung: str) -> np.ndarray:
    """Return how wrong a rung was on every row of repeat 0; NaN where it was not asked."""
    wrong = np.full(len(data), np.nan)
    targets = data.samples.targets.numpy()
    for fold in (f for f in split.folds if f.repeat == 0):
        said = read_array(folder / "fits" / rung / fold.name / "predictions.npy")
        right = targets[fold.validation]
        if isinstance(data.signature.output, Category):
            wrong[fold.validation] = 1 - said[np.arange(len(said)), right]
        else:
            wrong[fold.validation] = np.abs(said - right[:, 0])
    return wrong


def _texts(data: Dataset, targets: Tensor) -> list[str]:
    if isinstance(data.signature.output, Category):
        names: Mapping[int, str] = dict(enumerate(data.signature.output.names))
        return [names[int(t)] for t in targets]
    return [f"{t:.6g}" for t in targets[:, 0].tolist()]


def _cells(table: Table, row: Tensor) -> list[str]:
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
