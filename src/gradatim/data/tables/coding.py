"""Cells coded by the signature of a fitted model: nothing is learnt, the unknown is counted."""

import numpy as np

from gradatim.core.samples import Finding
from gradatim.core.signature import Column
from gradatim.data.naming import listed, number_of, shown
from gradatim.data.origin import Origin
from gradatim.data.tables.cells import Cells, NumberCells, TextCells, as_text
from gradatim.data.tables.columns import MISSING, parsed, refuse_infinite, stray_cell
from gradatim.data.tables.dates import days_of

__all__ = ["code_column"]


def code_column(cells: Cells, column: Column, origin: Origin) -> tuple[np.ndarray, list[Finding]]:
    """Return the float64 cells of a column as a signature has it, and what was unknown.

    Raises:
        DataError: text where the model expects a number or a date.
    """
    if column.kind in ("numeric", "date"):
        return _quantities(cells, column, origin), []
    return _choices(as_text(cells), column, origin)


def _quantities(cells: Cells, column: Column, origin: Origin) -> np.ndarray:
    if isinstance(cells, TextCells):
        values = parsed(cells, days_of if column.kind == "date" else number_of)
        stray = np.isnan(values) & ~np.isin(cells.distinct, MISSING)
        if stray.any():
            raise stray_cell(cells, stray, origin, "date" if column.kind == "date" else "number")
        cells = NumberCells(cells.name, values[cells.codes])
    elif (cells.meaning == "date") != (column.kind == "date") and len(cells):
        trouble = f"column {shown(column.name)} holds {cells.meaning}s"
        raise origin.error(trouble, f"the model learnt it as {column.kind}")
    refuse_infinite(cells, origin)
    return cells.numbers


def _choices(cells: TextCells, column: Column, origin: Origin) -> tuple[np.ndarray, list[Finding]]:
    codes = np.array([_place(text, column) for text in cells.distinct])
    unknown = (codes == -1)[cells.codes]
    if not unknown.any():
        return codes[cells.codes], []
    texts = [text for text, code in zip(cells.distinct, codes, strict=True) if code == -1]
    trouble = f"column {shown(column.name)}: {int(unknown.sum())} cells hold values that the model"
    message = f"{trouble} has not seen: {listed(texts, 5)}"
    remedy = "it treats them as other; correct them if they are misspelt"
    return codes[cells.codes], [
        Finding("unseen-values", "warning", message, remedy, origin.names_of(unknown))
    ]


def _place(text: str, column: Column) -> float:
    if text in column.values:
        return float(column.values.index(text))
    if text in MISSING:
        return float("nan")
    number = number_of(text)
    if number is None:
        folded = [value.casefold() for value in column.values]
        alike = folded.count(text.casefold()) == 1 and column.kind == "boolean"
        return float(folded.index(text.casefold())) if alike else -1.0
    equal = [i for i, value in enumerate(column.values) if number_of(value) == number]
    return float(equal[0]) if len(equal) == 1 else -1.0
