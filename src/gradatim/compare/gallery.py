"""The samples that a report may want to show, kept in the run so that the data is not needed."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from gradatim.compare.side_by_side import Kept, keep_side_by_side
from gradatim.core.samples import Dataset
from gradatim.core.signature import Category, Quantity, Series, Sound, Table
from gradatim.core.task import Supervised
from gradatim.data.splits import Partition
from gradatim.layers.sound.log_mel import picture_of_sound
from gradatim.runs.files import read_array, write_array, write_arrays, write_json

__all__ = ["keep_evidence", "keep_gallery", "keep_test_gallery"]

WORST, CHANGED = 48, 9
SPECTRUM = 96  # pixels that a recording is wide
MOST_GROUPS = 50  # whose names are kept, to tell scores apart by group


def keep_evidence(folder: Path, data: Dataset, split: Partition) -> None:
    """Write the split, row names, their groups where these have names, and targets.

    Targets that are masks, boxes or pictures are not kept: they are large, and what is scored of
    them stands in the fits.
    """
    write_arrays(folder / "split.npz", split.arrays())
    rows: dict[str, Any] = {"names": [str(name) for name in data.row_names]}
    if isinstance(data.signature.output, Category | Quantity):
        targets = data.samples.targets
        write_array(folder / "targets.npy", targets.numpy())
        rows["targets"] = _texts(data, targets)
    if data.samples.groups is not None and 1 < len(data.group_names) <= MOST_GROUPS:
        rows["groups"] = data.samples.groups.tolist()
        rows["group_names"] = list(data.group_names)
    write_json(folder / "rows.json", rows)
    write_json(folder / "signature.json", data.signature.model_dump(mode="json"))


def keep_gallery(
    folder: Path,
    data: Dataset,
    split: Partition,
    scored: list[str],
    chosen: str,
    task: Supervised,
) -> None:
    """Write the worst mistakes of the chosen rung, and what each rung changed.

    Where an answer is a mask, boxes or a picture, a few rows are kept as pictures of all answers.
    """
    if not isinstance(data.signature.output, Category | Quantity):
        kept = Kept.of_folds(folder, split, scored, len(data))
        keep_side_by_side(folder, kept, chosen, data, task)
        return
    answers = {name: _mistakes(folder, data, split, name) for name in {*scored, chosen}}
    rows: list[int] = list(_largest(answers[chosen][0], WORST))
    for below, rung in pairwise(scored):
        rows += _changed(answers[below], answers[rung])
    rows = sorted({int(r) for r in rows})
    inputs = data.samples.inputs[rows]
    if isinstance(data.signature.input, Table):
        cells = {str(r): _cells(data.signature.input, x) for r, x in zip(rows, inputs, strict=True)}
        columns = [c.name for c in data.signature.input.columns]
        write_json(folder / "gallery.json", {"columns": columns, "cells": cells})
    else:
        kind, seen = _to_see(data, inputs)
        arrays = {"rows": np.asarray(rows, dtype=np.int64), kind: seen}
        write_arrays(folder / "gallery.npz", arrays)


def keep_test_gallery(folder: Path, data: Dataset, rung: str, task: Supervised) -> None:
    """Write pictures of a single rung's answers to test rows, where answers are no words."""
    if (folder / "test_quality.npy").is_file():
        keep_side_by_side(folder, Kept.of_test(folder, rung, data.samples), rung, data, task)


def _to_see(data: Dataset, inputs: Tensor) -> tuple[str, np.ndarray]:
    """Return how rows are to be drawn, and what they look like."""
    if isinstance(data.signature.input, Sound):
        return "spectrograms", _spectrograms(data.signature.input, inputs)
    return "sequences" if isinstance(data.signature.input, Series) else "pictures", inputs.numpy()


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    order = np.argsort(-values, kind="stable")  # NaN sorts last
    return order[: min(count, int(np.isfinite(values).sum()))]


def _mistakes(
    folder: Path, data: Dataset, split: Partition, rung: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return how wrong a rung was on every row of repeat 0, NaN where it was not asked.

    And whether its class was the right one; of quantities none is.
    """
    wrong, right = np.full(len(data), np.nan), np.zeros(len(data), bool)
    targets = data.samples.targets.numpy()
    for fold in (f for f in split.folds if f.repeat == 0):
        said = read_array(folder / "fits" / rung / fold.name / "predictions.npy")
        truth = targets[fold.validation]
        if isinstance(data.signature.output, Category):
            wrong[fold.validation] = 1 - said[np.arange(len(said)), truth]
            right[fold.validation] = said.argmax(1) == truth
        else:
            wrong[fold.validation] = np.abs(said - truth[:, 0])
    return wrong, right


def _changed(below: tuple[np.ndarray, np.ndarray], now: tuple[np.ndarray, np.ndarray]) -> list[int]:
    """Return the rows that changed most for the better and for the worse.

    Of classes they are the rows that one rung has right and the other wrong.
    """
    change = below[0] - now[0]
    if not (below[1].any() or now[1].any()):
        return [*_largest(change, CHANGED), *_largest(-change, CHANGED)]
    fixed = np.where(now[1] & ~below[1], change, np.nan)
    broken = np.where(below[1] & ~now[1], -change, np.nan)
    return [*_largest(fixed, CHANGED), *_largest(broken, CHANGED)]


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


def _spectrograms(sound: Sound, recordings: Tensor) -> np.ndarray:
    """Return recordings as pictures of one width, which each of them fills."""
    pictures = [picture_of_sound(row.numpy(), sound.rate, SPECTRUM) for row in recordings]
    return np.stack(pictures)
