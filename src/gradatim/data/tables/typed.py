"""Columns that come with a type, from DataFrames and arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradatim.core.errors import DataError
from gradatim.data.naming import shown
from gradatim.data.tables.cells import Cells, NumberCells, text_cells

__all__ = ["array_of", "cells_of_array", "cells_of_frame"]


def cells_of_frame(frame: Any, name: str) -> list[Cells]:
    """Return the columns of a DataFrame as they are typed there."""
    return [_cells(str(label), frame.iloc[:, i], name) for i, label in enumerate(frame.columns)]


def _cells(label: str, column: Any, name: str) -> Cells:
    from pandas.api import types

    kind = column.dtype
    if isinstance(kind, types.CategoricalDtype):
        column = column.astype(object)
    if types.is_bool_dtype(kind):
        return NumberCells(label, _floats(column), "boolean")
    if types.is_datetime64_any_dtype(kind):
        return NumberCells(label, _days(column), "date")
    if types.is_timedelta64_dtype(kind):
        return NumberCells(label, column.dt.total_seconds().to_numpy(np.float64) / 86400)
    if types.is_numeric_dtype(kind) and not types.is_complex_dtype(kind):
        return NumberCells(label, _floats(column))
    return _objects(label, column, name)


def _floats(column: Any) -> np.ndarray:
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _days(column: Any) -> np.ndarray:
    moments = column.dt.tz_convert(None) if column.dt.tz is not None else column
    moments = moments.to_numpy().astype("datetime64[us]")
    days = moments.astype(np.int64) / 86_400e6
    return np.where(np.isnat(moments), np.nan, days)


def _objects(label: str, column: Any, name: str) -> Cells:
    from pandas.api import types

    kind = types.infer_dtype(column, skipna=True)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        return NumberCells(label, _floats(column.astype("Float64")))
    if kind == "boolean":
        return NumberCells(label, _floats(column.astype("boolean")), "boolean")
    lost = column.isna().to_numpy()
    cells = column.to_numpy(dtype=object)
    for row, cell in zip(column.index[~lost], cells[~lost], strict=True):
        if isinstance(cell, (list, tuple, set, dict, bytes, complex, np.ndarray)):
            trouble = f"row {row}, column {shown(label)} holds a {type(cell).__name__}"
            raise DataError(f"{shown(name)}: {trouble}; give numbers, text or dates")
    return text_cells(label, ("" if e else str(c) for e, c in zip(lost, cells, strict=True)))


def array_of(values: Any, name: str) -> np.ndarray:
    """Return values as an array of numbers, text or objects, with at least one axis.

    Raises:
        DataError: rows of different lengths, or another type.
    """
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{shown(name)} is no array: {reason}; give rows of one length") from error
    if array.ndim == 0 or array.dtype.kind not in "biufOUSM":
        trouble = f"an array of {array.dtype} with {array.ndim} axes cannot be read"
        raise DataError(f"{shown(name)}: {trouble}; give numbers or text, one row a sample")
    return array


def cells_of_array(x: np.ndarray, names: Sequence[str], name: str) -> list[Cells]:
    """Return the columns of a (rows, columns) array; they are called x0, x1, ... without names.

    Raises:
        DataError: another number of axes, or of names.
    """
    if x.ndim != 2 or x.shape[1] == 0:
        trouble = f"inputs of shape {x.shape} are no table, pictures or sequences"
        shapes = "(rows, columns), (rows, height, width) or (rows, steps, channels)"
        raise DataError(f"{shown(name)}: {trouble}; give {shapes}")
    names = [str(n) for n in names] or [f"x{i}" for i in range(x.shape[1])]
    if len(names) != x.shape[1]:
        trouble = f"{len(names)} column names for {x.shape[1]} columns"
        raise DataError(f"{shown(name)}: {trouble}; give one name a column")
    if x.dtype.kind in "iuf":
        return [NumberCells(n, x[:, i].astype(np.float64)) for i, n in enumerate(names)]
    if x.dtype.kind == "b":
        return [NumberCells(n, x[:, i].astype(np.float64), "boolean") for i, n in enumerate(names)]
    import pandas as pd

    return [_cells(n, pd.Series(x[:, i]).infer_objects(), name) for i, n in enumerate(names)]
