"""Findings on single columns: constant, missing, gaps, and names in disguise."""

import shlex
from collections.abc import Iterable

import numpy as np

from gradatim.core.samples import Dataset, Finding
from gradatim.core.signature import Column
from gradatim.data.doctor.view import cells, columns, counted, listing, names, open_rows, shown

__all__ = ["column_findings", "dropping"]

ROUNDING = 64 * np.finfo(np.float64).eps
FEW = 20  # below so many rows anything is distinct
NEARLY_ONE_A_ROW = 0.9


def column_findings(dataset: Dataset) -> list[Finding]:
    """Look at each column of a table by itself."""
    own = columns(dataset)
    rows = open_rows(dataset)
    if not own or not len(rows):
        return []
    table = cells(dataset)[rows]
    return [
        *_many(table),
        *_missing(own, table),
        *_constant(own, table),
        *_gaps(dataset, own),
        *_id_like(own, table),
    ]


def dropping(own: Iterable[Column]) -> str:
    """Return the flags that leave columns out."""
    return " ".join(f"--drop {shlex.quote(column.name)}" for column in own)


def _many(table: np.ndarray) -> list[Finding]:
    rows, count = table.shape
    if count <= rows:
        return []
    text = (
        f"{counted(count, 'column')} for {counted(rows, 'row')}: some combination fits by chance."
    )
    return [Finding("many-columns", "note", text, "trust rungs with strong regularisation")]


def _missing(own: tuple[Column, ...], table: np.ndarray) -> list[Finding]:
    empty = np.flatnonzero(np.isnan(table).all(0))
    if not len(empty):
        return []
    text = f"No row has a value in {shown(own, empty)}. Such a column is switched off."
    remedy = f"check how the file was written, or {dropping(own[i] for i in empty[:5])}"
    return [Finding("missing-column", "warning", text, remedy)]


def _constant(own: tuple[Column, ...], table: np.ndarray) -> list[Finding]:
    """Find columns whose standard deviation is at most 64 roundings of their largest entry.

    A column with missing cells is not constant: which cells are missing may tell something.
    """
    largest = np.maximum(np.abs(table).max(0), np.finfo(np.float64).tiny)  # NaN stays NaN
    flat = np.flatnonzero((table / largest).std(0) <= ROUNDING)
    if not len(flat):
        return []
    text = f"One value in all rows: {shown(own, flat)}. Such a column is switched off."
    return [Finding("constant-column", "note", text, dropping(own[i] for i in flat[:5]))]


def _gaps(dataset: Dataset, own: tuple[Column, ...]) -> list[Finding]:
    gaps = np.isnan(cells(dataset))
    count = gaps.sum(0)
    some = np.flatnonzero((count > 0) & (count < len(gaps)))
    if not len(some):
        return []
    worst = some[np.argsort(-count[some], kind="stable")]
    parts = listing([f'"{own[i].name}" {count[i]:,}' for i in worst])
    rows = np.flatnonzero(gaps[:, some].any(1))
    text = f"{len(rows):,} of {len(gaps):,} rows have missing cells: {parts}. "
    text += "They are filled inside each training fold and marked."
    return [Finding("missing-cells", "note", text, rows=names(dataset, rows))]


def _id_like(own: tuple[Column, ...], table: np.ndarray) -> list[Finding]:
    if len(table) < FEW:
        return []
    like = [i for i, column in enumerate(own) if _names_rows(column, table[:, i])]
    if not like:
        return []
    text = f"{shown(own, like)} seems to name the rows: (nearly) every row has its own value."
    remedy = f"{dropping(own[i] for i in like[:5])}, unless it is a measurement"
    return [Finding("id-like-column", "warning", text, remedy)]


def _names_rows(column: Column, values: np.ndarray) -> bool:
    """Tell whether values look like names of rows.

    Categories: different values in at least 9 of 10 rows that have one. Numbers: integers in all
    rows, all different, that run up or down with the rows or fill at least half of their range.
    """
    values = values[~np.isnan(values)] if column.kind == "category" else values
    if column.kind == "category":
        return len(values) >= FEW and len(np.unique(values)) >= NEARLY_ONE_A_ROW * len(values)
    if column.kind != "numeric" or not np.all(values == np.round(values)):
        return False
    steps = np.diff(values)
    if np.all(steps > 0) or np.all(steps < 0):
        return True
    return len(np.unique(values)) == len(values) and np.ptp(values) < 2 * len(values)
