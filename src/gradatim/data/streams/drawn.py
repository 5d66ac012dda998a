"""When a table is streamed, and some of its rows drawn as a table that fits into memory."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.core.randomness import seed_for
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions
from gradatim.data.files import available_memory
from gradatim.data.streams.membership import chances
from gradatim.data.streams.parquet import decoded_bytes, open_stream

__all__ = ["drawn", "parquet_of", "too_large"]

COPIES = 4
"""Times that a decoded table is held at once: read, coded, and shared out to worker processes."""
SHARE = 0.5
"""Of the free memory that a table may take before it is streamed."""


def parquet_of(data: Any) -> str | None:
    """Return the path of a Parquet file that the user named; None for any other data."""
    if not isinstance(data, (str, os.PathLike)):
        return None
    location = os.fsdecode(data)
    path = location.removeprefix("parquet:")
    named = path != location or path.lower().endswith((".parquet", ".pq"))
    return path if named and Path(path).is_file() else None


def too_large(data: Any, memory: float | None = None) -> bool:
    """Tell whether data is a Parquet file that would not fit into memory once it is decoded.

    Args:
        data: as for `climb`.
        memory: gigabytes that may be used; half of what is free by default.
    """
    path = parquet_of(data)
    if path is None:
        return False
    budget = SHARE * available_memory() if memory is None else memory * 1e9
    return COPIES * decoded_bytes(path) > budget


def drawn(data: Any, options: ReadOptions, rows: int | None) -> Dataset | None:
    """Return a little more than `rows` random rows of a Parquet file that is too large to be read.

    Which rows is a function of the file's length alone. None when there is no need to draw.

    Raises:
        DataError: the file or its cells cannot be used.
    """
    path = parquet_of(data)
    if path is None or rows is None or not too_large(data):
        return None
    import pyarrow as pa

    from gradatim.data.tables.frame import dataset_from_frame

    stream = open_stream(path)
    share = (rows + 5 * rows**0.5 + 10) / max(1, stream.rows)
    key, parts, names = seed_for(0, "drawn rows"), [], []
    for start, batch in stream.frames(stream.columns):
        chosen = np.flatnonzero(chances(start, start + batch.num_rows, key) < share)
        parts.append(batch.take(pa.array(chosen)))
        names.append(start + chosen)
    frame = pa.Table.from_batches(parts).to_pandas()
    frame.index = np.concatenate(names)
    mark = hashlib.sha256(f"{stream.fingerprint()} drawn {rows}".encode()).hexdigest()
    dataset = dataset_from_frame(frame, options, path, source="parquet", fingerprint=mark)
    title = Path(path).resolve().name.partition(".")[0]
    return replace(dataset, name=title, source=os.fsdecode(data))
