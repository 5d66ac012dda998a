"""Tables as Parquet files."""

import hashlib
import io
from typing import Any, ClassVar

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path, content_of, must_fit
from gradatim.data.naming import shown

__all__ = ["SOURCE", "Parquet"]


class Parquet(Source):
    """One Parquet file; the types of its columns are kept."""

    summary: ClassVar[str] = "a table as a Parquet file (.parquet)"

    def claims(self, location: str, options: ReadOptions) -> bool:
        return location.lower().endswith((".parquet", ".pq"))

    def read(self, location: str, options: ReadOptions) -> Dataset:
        from gradatim.data.tables.frame import dataset_from_frame

        content = content_of(checked_path(location, "file"))
        mark = hashlib.sha256(content).hexdigest()
        frame = _frame(content, location)
        return dataset_from_frame(frame, options, location, source="parquet", fingerprint=mark)


def _frame(content: bytes, location: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        file = pa.parquet.ParquetFile(io.BytesIO(content))
        groups = range(file.metadata.num_row_groups)
        unpacked = sum(file.metadata.row_group(i).total_byte_size for i in groups)
        must_fit(4 * unpacked, location)
        table = file.read()
        repeated = {name for name in table.column_names if table.column_names.count(name) > 1}
        if repeated:
            raise DataError(f"{shown(location, 200)}: columns repeat: {repeated}; rename them")
        return table.to_pandas().reset_index(drop=True)
    except (pa.ArrowException, OSError, OverflowError) as error:
        reason = str(error).splitlines()[0][:200]
        remedy = "write the file again"
        raise DataError(f"{shown(location, 200)} is no Parquet file: {reason}; {remedy}") from error


SOURCE = Parquet()
