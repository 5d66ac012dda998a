"""A Parquet file as a stream of cells: what is read at a time has a bound."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.core.errors import DataError
from gradatim.data.files import checked_path
from gradatim.data.naming import listed, shown
from gradatim.data.origin import Origin
from gradatim.data.tables.cells import Cells, NumberCells, TextCells

__all__ = ["RowNames", "Stream", "decoded_bytes", "open_stream"]

CELLS = 1 << 21
"""Cells of one batch: 16 MB as float64."""
LEAST, MOST = 1 << 10, 1 << 16
"""Rows of one batch."""
BUFFER = 1 << 20
"""Bytes of a column that are read from the disk at a time, however large its row groups are."""
_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


class RowNames(Sequence[str]):
    """The numbers of rows as names, made when they are asked for."""

    def __init__(self, start: int, count: int) -> None:
        self.first, self.length = start, count

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, place: Any) -> Any:
        return str(self.first + int(place))


@dataclass(frozen=True)
class Stream:
    """A Parquet file that is read again for every pass. `columns` are its names, in order."""

    path: Path
    location: str
    rows: int
    columns: tuple[str, ...]

    def batches(
        self, columns: Sequence[str], width: int = 0
    ) -> Iterator[tuple[int, dict[str, Cells]]]:
        """Yield the number of the first row and the cells of some columns, batch by batch.

        Args:
            columns: to read.
            width: numbers that the caller makes of a row, if they are more than its cells.

        Raises:
            DataError: the file is broken, or a column holds no cells.
        """
        start = 0
        for batch in self._raw(columns, max(width, len(columns))):
            cells = zip(columns, batch.columns, strict=True)
            origin = self.origin(start, batch.num_rows)
            yield start, {name: _cells(name, column, origin) for name, column in cells}
            start += batch.num_rows

    def frames(self, columns: Sequence[str]) -> Iterator[tuple[int, Any]]:
        """Yield the number of the first row and a batch as Arrow has it."""
        start = 0
        for batch in self._raw(columns, len(columns)):
            yield start, batch
            start += batch.num_rows

    def _raw(self, columns: Sequence[str], width: int) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile

        size = max(LEAST, min(MOST, CELLS // max(1, width)))
        try:
            # Without a buffer size a row group is read whole; some files have one for all rows.
            with ParquetFile(self.path, buffer_size=BUFFER, pre_buffer=False) as file:
                # Arrow's order is the file's; a name with a dot is no path here.
                for batch in file.iter_batches(size, columns=list(columns)):
                    yield batch.select(list(columns))
        except (pa.ArrowException, OSError) as error:
            raise _broken(self.location, error) from error

    def origin(self, start: int = 0, rows: int = 0) -> Origin:
        """Return what complaints about a batch name."""
        return Origin(self.location, RowNames(start, rows), "parquet", "")

    def fingerprint(self) -> str:
        """Return the sha256 of the file, as reading it at once gives."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def open_stream(location: str) -> Stream:
    """Return a Parquet file as a stream.

    Raises:
        DataError: it is not there, is no Parquet file, or its columns repeat.
    """
    path = checked_path(location, "file")
    facts = _metadata(path, location)
    names = tuple(facts.schema.to_arrow_schema().names)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"{shown(location, 200)}: columns repeat: {listed(repeated)}; rename them")
    return Stream(path, location, facts.num_rows, names)


def decoded_bytes(location: str) -> int:
    """Return about how many bytes the table takes as float64, by what the file says of itself."""
    facts = _metadata(checked_path(location, "file"), location)
    groups = (facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
    return max(sum(groups), 8 * facts.num_rows * facts.num_columns)


def _metadata(path: Path, location: str) -> Any:
    import pyarrow as pa
    from pyarrow.parquet import read_metadata

    try:
        return read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise _broken(location, error) from error


def _broken(location: str, error: Exception) -> DataError:
    reason = str(error).splitlines()[0][:200]
    return DataError(f"{shown(location, 200)} is no Parquet file: {reason}; write the file again")


def _cells(name: str, column: Any, origin: Origin) -> Cells:
    """Return a column of Arrow as the cells that a DataFrame of it would give."""
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if types.is_boolean(kind):
        return NumberCells(name, _floats(column.cast(pa.int8())), "boolean")
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return NumberCells(name, _floats(column))
    if types.is_null(kind):
        return NumberCells(name, np.full(len(column), np.nan))
    if types.is_date(kind) or types.is_timestamp(kind):
        unit = "us" if types.is_date(kind) else kind.unit
        moments = column.cast(pa.timestamp("us")) if types.is_date(kind) else column
        return NumberCells(name, _floats(moments.cast(pa.int64())) / _DAY[unit], "date")
    if types.is_string(kind) or types.is_large_string(kind):
        coded = column.dictionary_encode()
        known = coded.dictionary.to_pylist()
        codes = coded.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
        return _texts(name, codes, [*known, ""] if column.null_count else known)
    remedy = f"leave it out: --drop {name}"
    raise origin.error(f"column {shown(name)} holds {kind}, no numbers, text or dates", remedy)


def _floats(column: Any) -> np.ndarray:
    import pyarrow as pa

    wide = column.cast(pa.float64(), safe=False)
    return np.asarray(wide.to_numpy(zero_copy_only=False), dtype=np.float64)


def _texts(name: str, codes: np.ndarray, texts: Sequence[str]) -> TextCells:
    stripped: dict[str, int] = {}
    merge = [stripped.setdefault(text.strip(), len(stripped)) for text in texts]
    return TextCells(name, np.array(merge, np.int64)[codes], tuple(stripped))
