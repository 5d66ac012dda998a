"""The samples that a report may want to show, kept in the run so that the data is not needed."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from gradatim.compare.drawn import keep_drawn, keep_extremes, keep_measure
from gradatim.compare.rows import cells_of, to_see
from gradatim.compare.side_by_side import Kept, keep_side_by_side
from gradatim.compare.written import keep_passages, keep_sentences
from gradatim.core.samples import Dataset
from gradatim.core.signature import Category, Quantity, Table
from gradatim.core.task import Task
from gradatim.data.splits import Partition
from gradatim.runs.files import read_array, write_array, write_arrays, write_json

__all__ = ["keep_evidence", "keep_gallery", "keep_test_gallery"]

WORST, CHANGED = 48, 9
MOST_GROUPS = 50  # whose names are kept, to tell scores apart by group

Keeper = Callable[[Path, Kept, str, Dataset, Task], None]
KEEPERS: Mapping[str, Keeper] = {
    "picture": keep_side_by_side,
    "mask": keep_side_by_side,
    "boxes": keep_side_by_side,
    "continuation": keep_passages,
    "translation": keep_sentences,
    "synthesis": keep_drawn,
    "density": keep_extremes,
    "actions": keep_measure,
}
"""Kind of output -> what is kept, so that people see what the rungs answered."""


def keep_evidence(folder: Path, data: Dataset, split: Partition) -> None:
    """Write the split, row names, their groups where these have names, and targets.

    Targets of other kinds than classes and quantities are not kept: they are large, or there are
    none, and what is scored of them stands in the fits.
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
    task: Task,
) -> None:
    """Write the worst mistakes of the chosen rung, and what each rung changed.

    Where an answer is no class and no quantity, `KEEPERS` says what is kept of some rows.
    """
    if not isinstance(data.signature.output, Category | Quantity):
        kept = Kept.of_folds(folder, split, scored, len(data))
        KEEPERS[data.signature.output.kind](folder, kept, chosen, data, task)
        return
    answers = {name: _mistakes(folder, data, split, name) for name in {*scored, chosen}}
    rows: list[int] = list(_largest(answers[chosen][0], WORST))
    for below, rung in pairwise(scored):
        rows += _changed(answers[below], answers[rung])
    rows = sorted({int(r) for r in rows})
    inputs = data.samples.inputs[rows]
    if isinstance(data.signature.input, Table):
        document = cells_of(data.signature.input, rows, inputs)
        write_json(folder / "gallery.json", document)
    else:
        kind, seen = to_see(data, inputs)
        arrays = {"rows": np.asarray(rows, dtype=np.int64), kind: seen}
        write_arrays(folder / "gallery.npz", arrays)


def keep_test_gallery(folder: Path, data: Dataset, rung: str, task: Task) -> None:
    """Write what is kept of a single rung's answers to test rows, where these are no classes."""
    if (folder / "test_quality.npy").is_file():
        kept = Kept.of_test(folder, rung, data.samples)
        KEEPERS[data.signature.output.kind](folder, kept, rung, data, task)


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
