"""Data that is already in Python: DataFrames and arrays."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions
from gradatim.data.naming import listed, shown
from gradatim.data.origin import Origin
from gradatim.data.pictures.arrays import as_planes, dataset_from_pictures
from gradatim.data.sequences import are_sequences, dataset_from_sequences
from gradatim.data.tables.assembly import dataset_from_cells
from gradatim.data.tables.cells import Cells, content_bytes
from gradatim.data.tables.typed import array_of, cells_of_array, cells_of_frame

__all__ = ["dataset_from_arrays", "dataset_from_frame"]


def dataset_from_frame(
    frame: Any,
    options: ReadOptions = ReadOptions(),  # noqa: B008  (frozen)
    name: str = "frame",
    *,
    source: str = "frame",
    fingerprint: str | None = None,
) -> Dataset:
    """Return the samples of a pandas DataFrame; rows are called by the index.

    Args:
        frame: one row a sample.
        options: which column is what.
        name: of the data, for messages and reports.
        source: the kind of data it came from.
        fingerprint: of the content; made from the cells when it is not known.

    Raises:
        DataError: cells that cannot be used.
        ConfigError: `options` names a column that is not there.
    """
    rows = [str(label) for label in frame.index]
    columns = cells_of_frame(frame, name)
    origin = Origin(name, rows, source, fingerprint or _fingerprint(columns))
    return dataset_from_cells(columns, origin, options)


def dataset_from_arrays(
    x: Any,
    y: Any = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008  (frozen)
    name: str = "arrays",
    *,
    sealed: np.ndarray | None = None,
    source: str = "arrays",
    columns: Sequence[str] = (),
    target: str = "",
) -> Dataset:
    """Return the samples of arrays: a table, pictures or sequences, by axes and type.

    Args:
        x: (rows, columns) of numbers or text, a DataFrame, uint8 pictures (rows, height, width),
            with channels last or second, or float sequences (rows, steps, channels).
        y: one target a row; None to predict.
        options: how to read.
        name: of the data, for messages and reports.
        sealed: for each row, whether it is of the data's own test part.
        source: the kind of data it came from.
        columns: names of the columns of a table; x0, x1, ... without them.
        target: what `y` is called; `options.target` or "y" without it.

    Raises:
        DataError: arrays of other shapes or types, or of different lengths.
    """
    if y is None and options.signature is None and not options.rows_alone:
        raise ConfigError(f"{shown(name)} has no targets to learn from; give (X, y)")
    answers = None if y is None else _answers(y, target or options.target or "", name)
    if hasattr(x, "columns"):
        features, rows = cells_of_frame(x, name), [str(label) for label in x.index]
        return _table(features, answers, rows, options, name, source, sealed)
    x = array_of(x, name)
    rows = [str(i) for i in range(len(x))]
    if x.ndim not in (3, 4):
        features = cells_of_array(x, columns, name)
        return _table(features, answers, rows, options, name, source, sealed)
    sequences = are_sequences(x, options)
    _refuse_columns(options, answers, "sequences" if sequences else "pictures")
    origin = Origin(name, rows, source, "", sealed)
    if sequences:
        return dataset_from_sequences(x, answers, origin, options)
    return dataset_from_pictures(as_planes(x, name), answers, origin, options)


def _answers(y: Any, label: str, name: str) -> Cells:
    values = array_of(y, name)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim != 1:
        trouble = f"the targets have shape {values.shape}"
        raise DataError(f"{shown(name)}: {trouble}; give one number or class name a row")
    label = label or str(getattr(y, "name", None) or "y")
    return cells_of_array(values[:, None], [label], name)[0]


def _refuse_columns(options: ReadOptions, answers: Cells | None, kind: str) -> None:
    own = answers.name if answers else ""
    asked = [n for n in (options.target, options.group, options.time) if n and n != own]
    if asked and options.signature is None:
        raise ConfigError(f"{kind} have no columns; leave out {listed(asked)}")


def _table(
    features: list[Cells],
    answers: Cells | None,
    rows: Sequence[str],
    options: ReadOptions,
    name: str,
    source: str,
    sealed: np.ndarray | None,
) -> Dataset:
    columns = features if answers is None else [*features, answers]
    if answers is not None and len(answers) != len(rows):
        trouble = f"{len(rows)} rows of inputs and {len(answers)} targets"
        raise DataError(f"{shown(name)}: {trouble}; give one target a row")
    if answers is not None and options.target is None:
        options = replace(options, target=answers.name)
    origin = Origin(name, rows, source, _fingerprint(columns), sealed)
    return dataset_from_cells(columns, origin, options)


def _fingerprint(columns: Sequence[Cells]) -> str:
    digest = hashlib.sha256()
    for cells in columns:
        digest.update(content_bytes(cells))
    return digest.hexdigest()
