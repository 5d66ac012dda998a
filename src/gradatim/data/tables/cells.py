"""Columns as they were read, before anybody decides what they mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["Cells", "NumberCells", "TextCells", "as_text", "content_bytes", "text_cells"]


@dataclass(frozen=True)
class TextCells:
    """A column of text: `distinct[codes]`. Spaces around a cell are gone; "" is an empty cell."""

    name: str
    codes: np.ndarray
    distinct: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def counts(self) -> np.ndarray:
        """Return how many cells hold each distinct text."""
        return np.bincount(self.codes, minlength=len(self.distinct))


@dataclass(frozen=True)
class NumberCells:
    """A column that came with a type: float64, NaN where a cell is empty.

    Booleans are 0 and 1; dates are days since 1970-01-01 UTC.
    """

    name: str
    numbers: np.ndarray
    meaning: Literal["number", "boolean", "date"] = "number"

    def __len__(self) -> int:
        return len(self.numbers)


Cells = TextCells | NumberCells


def text_cells(name: str, cells: Iterable[str]) -> TextCells:
    """Return a column of text.

    >>> text_cells("x", ["b", " a", "a", ""])
    TextCells(name='x', codes=array([0, 1, 1, 2]), distinct=('b', 'a', ''))
    """
    index: dict[str, int] = {}
    codes = np.fromiter((index.setdefault(cell, len(index)) for cell in cells), np.int64)
    return from_index(name, codes, index)


def from_index(name: str, codes: np.ndarray, index: dict[str, int]) -> TextCells:
    """Return a column of text from codes and their index, with spaces stripped."""
    stripped: dict[str, int] = {}
    merge = [stripped.setdefault(text.strip(), len(stripped)) for text in index]
    return TextCells(name, np.array(merge, np.int64)[codes], tuple(stripped))


def as_text(cells: Cells) -> TextCells:
    """Return a typed column as a person would write it: whole numbers without a point."""
    if isinstance(cells, TextCells):
        return cells
    values, codes = np.unique(cells.numbers, return_inverse=True)
    spelled = [_spelled(value, cells.meaning) for value in values]
    return text_cells(cells.name, (spelled[code] for code in codes))


def content_bytes(cells: Cells) -> bytes:
    """Return bytes that are the same for the same column, for a fingerprint."""
    head = repr((cells.name, len(cells))).encode()
    if isinstance(cells, NumberCells):
        return head + np.ascontiguousarray(cells.numbers).tobytes()
    return head + cells.codes.tobytes() + "\0".join(cells.distinct).encode("utf-8", "replace")


def _spelled(value: float, meaning: str) -> str:
    if np.isnan(value):
        return ""
    if meaning == "boolean":
        return "True" if value else "False"
    if meaning == "date":
        return str(np.datetime64(round(value * 86400), "s"))
    return str(int(value)) if value == np.rint(value) and abs(value) < 2**53 else repr(float(value))
