"""What a feature column means, and how its cells become float64.

| cells, empty ones aside | kind |
|---|---|
| all numbers | numeric; boolean when they are 0 and 1 |
| all but a few numbers (at most 2 %, at least one cell) | an error that names the cell |
| yes/no, y/n, true/false, t/f | boolean |
| all dates that can be read in one way only | date |
| mostly different and long | free text: left out, with a note |
| other text | category: the 100 most frequent values, all others are coded -1 |
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradatim.core.samples import Finding
from gradatim.core.signature import Column
from gradatim.data.naming import listed, number_of, shown, sorted_names
from gradatim.data.origin import Origin
from gradatim.data.tables.cells import Cells, NumberCells, TextCells
from gradatim.data.tables.dates import days_of, is_ambiguous

__all__ = ["MISSING", "Learnt", "learn_column", "stray_cell"]

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "?")
"""Cells of a feature column that say "not known"."""

MOST_VALUES = 100
STRAY_SHARE = 0.02
_PAIRS = (("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"))
_DECIMAL_COMMA = "numbers with a decimal comma are text here; write them with a point"
_SLASHES = "day and month could change places; write dates as 2020-02-01"


@dataclass(frozen=True)
class Learnt:
    """A column and its coded cells; without a column it is left out of the features."""

    cells: np.ndarray
    column: Column | None
    findings: tuple[Finding, ...] = ()


def learn_column(cells: Cells, origin: Origin) -> Learnt:
    """Decide what a column means and code it.

    Raises:
        DataError: an infinite cell, or a few cells of text between numbers or dates.
    """
    if isinstance(cells, NumberCells):
        return _typed(cells, origin)
    blank = np.isin(cells.distinct, MISSING)
    numbers = parsed(cells, number_of)
    if fits(cells, numbers, blank, origin, "number"):
        return _typed(NumberCells(cells.name, numbers[cells.codes]), origin)
    dates = parsed(cells, days_of)
    if fits(cells, dates, blank, origin, "date"):
        return _typed(NumberCells(cells.name, dates[cells.codes], "date"), origin)
    present = [text for text, empty in zip(cells.distinct, blank, strict=True) if not empty]
    pair = tuple(sorted(present, key=str.casefold))
    if tuple(text.casefold() for text in pair) in _PAIRS:
        return _coded(cells, blank, Column(name=cells.name, kind="boolean", values=pair))
    return _texts(cells, blank, present)


def parsed(cells: TextCells, parse: Callable[[str], float | None]) -> np.ndarray:
    """Return what each distinct text spells; NaN where it spells nothing of the kind."""
    spelled = [parse(text) for text in cells.distinct]
    return np.array([np.nan if value is None else value for value in spelled], np.float64)


def fits(
    cells: TextCells, values: np.ndarray, blank: np.ndarray, origin: Origin, kind: str
) -> bool:
    """Tell whether all cells that are not blank spell a value.

    Raises:
        DataError: all but a few do; a slip of the pen must not turn numbers into categories.
    """
    stray = np.isnan(values) & ~blank
    if not stray.any():
        return kind == "number" or bool((~blank).any())
    counts = cells.counts()
    strays, present = int(counts[stray].sum()), int(counts[~blank].sum())
    good = values[~np.isnan(values)]
    varied = len(good) >= 5 or bool((good != np.rint(good)).any())
    if varied and strays <= max(1, STRAY_SHARE * present) and strays < present - strays:
        raise stray_cell(cells, stray, origin, kind)
    return False


def stray_cell(cells: TextCells, stray: np.ndarray, origin: Origin, kind: str) -> Exception:
    """Return the complaint about the first cell that is no number or no date."""
    rows = stray[cells.codes]
    first = int(np.flatnonzero(rows)[0])
    text = shown(cells.distinct[cells.codes[first]])
    where = f"{origin.row(first)}, column {shown(cells.name)}: {text} is no {kind}"
    more = f" ({int(rows.sum())} cells like it)" if rows.sum() > 1 else ""
    return origin.error(f"{where}{more}", "correct the cell or leave it empty")


def _typed(cells: NumberCells, origin: Origin) -> Learnt:
    refuse_infinite(cells, origin)
    numbers = cells.numbers
    known = numbers[~np.isnan(numbers)]
    missing = len(known) < len(numbers)
    name, kind = cells.name, cells.meaning
    if kind == "date":
        clock = len(np.unique(known % 1)) > 1
        return Learnt(numbers, Column(name=name, kind="date", missing=missing, clock=clock))
    if kind == "boolean" or np.array_equal(np.unique(known), [0, 1]):
        values = ("False", "True") if kind == "boolean" else ("0", "1")
        return Learnt(numbers, Column(name=name, kind="boolean", values=values, missing=missing))
    return Learnt(numbers, Column(name=name, kind="numeric", missing=missing))


def refuse_infinite(cells: NumberCells, origin: Origin) -> None:
    """Raise DataError when a number is infinite or too large for float64."""
    infinite = np.isinf(cells.numbers)
    if infinite.any():
        where = (
            f"column {shown(cells.name)} is infinite or above 1.8e308 in {origin.these(infinite)}"
        )
        raise origin.error(where, "correct the cells or leave them empty")


def _texts(cells: TextCells, blank: np.ndarray, present: list[str]) -> Learnt:
    name, count = shown(cells.name), int(cells.counts()[~blank].sum())
    if all(is_ambiguous(text) for text in present):
        trouble = f"column {name} holds dates such as {shown(present[0])} and is left out"
        return Learnt(np.empty(0), None, (Finding("date", "warning", trouble, _SLASHES),))
    if _is_free_text(present, count):
        trouble = f"column {name} is free text and is left out"
        remedy = "turn it into categories or numbers if it matters"
        return Learnt(np.empty(0), None, (Finding("free-text", "note", trouble, remedy),))
    findings = _nearly_numbers(name, present)
    kept, folded = _most_frequent(cells, blank)
    if folded:
        trouble = (
            f"column {name} has {len(present)} values; the {MOST_VALUES} most frequent are kept"
        )
        findings += (Finding("rare-values", "note", f"{trouble}, {folded} cells hold others"),)
    column = Column(name=cells.name, kind="category", values=tuple(sorted_names(kept)))
    learnt = _coded(cells, blank, column)
    return Learnt(learnt.cells, learnt.column, findings)


def _is_free_text(present: list[str], count: int) -> bool:
    lengths = [len(text) for text in present]
    return count > 10 and len(present) > count / 2 and sum(lengths) > 25 * len(present)


def _nearly_numbers(name: str, present: list[str]) -> tuple[Finding, ...]:
    numbers = [text for text in present if number_of(text) is not None]
    commas = [
        t for t in present if t.count(",") == 1 and number_of(t.replace(",", ".")) is not None
    ]
    if 2 * max(len(numbers), len(commas)) <= len(present):
        return ()
    trouble = f"column {name} is read as categories: {listed(present, 5)}"
    remedy = (
        _DECIMAL_COMMA if commas else "if it should hold numbers, empty the cells that are none"
    )
    return (Finding("nearly-numbers", "warning", trouble, remedy),)


def _most_frequent(cells: TextCells, blank: np.ndarray) -> tuple[list[str], int]:
    counts = np.where(blank, 0, cells.counts())
    order = sorted(np.flatnonzero(~blank), key=lambda i: (-counts[i], cells.distinct[i]))
    kept = [cells.distinct[i] for i in order[:MOST_VALUES]]
    return kept, int(counts[order[MOST_VALUES:]].sum())


def _coded(cells: TextCells, blank: np.ndarray, column: Column) -> Learnt:
    place = {value: float(i) for i, value in enumerate(column.values)}
    codes = np.array([place.get(text, -1.0) for text in cells.distinct])
    codes[blank] = np.nan
    coded = codes[cells.codes]
    missing = bool(np.isnan(coded).any())
    return Learnt(coded, column.model_copy(update={"missing": missing}))
