"""Text with delimiters, read strictly: what cannot be read in one way only is an error.

The first line names the columns. Comma, tab or semicolon; quotes as in RFC 4180. Rows are called
by the line they begin in, as an editor shows it.
"""

import codecs
import csv
import hashlib
import io
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.source import ReadOptions
from gradatim.data.files import content_of
from gradatim.data.naming import shown
from gradatim.data.origin import Origin
from gradatim.data.tables.cells import TextCells, from_index

__all__ = ["decoded", "read_delimited", "tabular"]

GROWTH = 20.0
"""Bytes of memory for a byte of text: every distinct cell becomes a Python string."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CSV_TROUBLES = {
    "unexpected end": "a quote opens a cell and nothing closes it",
    "field larger": "a cell has over 131072 characters; perhaps nothing closes its quote",
}
Row = tuple[int, list[str]]


def read_delimited(path: Path, name: str, options: ReadOptions) -> tuple[list[TextCells], Origin]:
    """Return the columns of a text file, and where they came from.

    Args:
        path: the file; its name may end in .gz.
        name: the location as the user gave it.
        options: `encoding` declares one; else a byte order mark decides, else it is UTF-8.

    Raises:
        DataError: naming the line or the byte that cannot be read.
    """
    content = content_of(path, growth=GROWTH)
    if content.startswith(b"PK\x03\x04"):
        raise _trouble(name, "this is a spreadsheet or an archive", "export the table as CSV text")
    text = decoded(content, name, options.encoding)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _trouble(name, f"line {line} holds a NUL byte", "save the table as UTF-8 text")
    delimiter = "\t" if ".tsv" in path.suffixes[-2:] else _sniffed(text)
    rows = _records(text, delimiter, name)
    _, header = next(rows, (0, []))
    if not any(cell.strip() for cell in header):
        raise _trouble(name, "there is no header", "name the columns in the first line")
    columns, lines = _columns([cell.strip() for cell in header], rows, name)
    names = [f"row {line}" for line in lines]
    return columns, Origin(name, names, "csv", hashlib.sha256(content).hexdigest())


def decoded(content: bytes, name: str, encoding: str | None) -> str:
    """Return the text of bytes.

    Raises:
        DataError: a byte does not fit the encoding.
        ConfigError: there is no such encoding.
    """
    found = next((known for mark, known in _BOMS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding or found)
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = content.count(b"\n", 0, start) + 1
        where = f"byte 0x{content[start]:02x} at offset {start} (line {line})"
        remedy = "give the right --encoding" if encoding else "give --encoding cp1252 if it is that"
        raise _trouble(name, f"{where} is no {encoding or found}", remedy) from error
    except LookupError as error:
        message = f"there is no text encoding {shown(encoding)}; usual ones: utf-8, cp1252, utf-16"
        raise ConfigError(message) from error


def tabular(text: str) -> bool:
    """Tell whether three lines or more all have as many cells as the first one, and several."""
    return len(text.splitlines()) > 2 and any(_score(text, mark)[0] for mark in ",\t;")


def _sniffed(text: str) -> str:
    scores = {delimiter: _score(text, delimiter) for delimiter in ",\t;"}
    return max(scores, key=lambda delimiter: scores[delimiter])


def _score(text: str, delimiter: str) -> tuple[bool, int]:
    """Tell whether the first rows all have the header's width, and that width."""
    lines = io.StringIO(text[:1_000_000], newline="")
    widths = []
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            widths.append(len(row))
            if len(widths) == 20:
                break
    except csv.Error:
        return False, max(widths[:1], default=0)
    filled = [width for width in widths if width] or [0]
    return filled[0] > 1 and min(filled) == max(filled), filled[0]


def _records(text: str, delimiter: str, name: str) -> Iterator[Row]:
    """Return each row that is not blank, with the line that it begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        known = [said for cause, said in _CSV_TROUBLES.items() if cause in str(error)]
        trouble = known[0] if known else str(error)
        remedy = 'a cell with quotes is written "so ""called"" cell"'
        raise _trouble(name, f"line {line}: {trouble}", remedy) from error


def _columns(
    header: list[str], rows: Iterator[Row], name: str
) -> tuple[list[TextCells], list[int]]:
    indices: list[dict[str, int]] = [{} for _ in header]
    codes = [array("q") for _ in header]
    lines = []
    for line, row in rows:
        if len(row) != len(header):
            trouble = f"line {line} has {len(row)} cells and the header {len(header)}"
            raise _trouble(name, trouble, "mend the line; a cell with the delimiter needs quotes")
        lines.append(line)
        for cell, index, column in zip(row, indices, codes, strict=True):
            column.append(index.setdefault(cell, len(index)))
    columns = [
        from_index(label, np.frombuffer(column, np.int64), index)
        for label, column, index in zip(header, codes, indices, strict=True)
    ]
    return columns, lines


def _trouble(name: str, trouble: str, remedy: str) -> DataError:
    return DataError(f"{shown(name, 200)}: {trouble}; {remedy}")
