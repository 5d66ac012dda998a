"""Tables as text: .csv, .tsv, .txt, also with .gz behind."""

from typing import ClassVar

from gradatim.core.samples import Dataset, Finding
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path
from gradatim.data.naming import listed, number_of
from gradatim.data.pairs.languages import asks_to_translate
from gradatim.data.tables.assembly import dataset_from_cells
from gradatim.data.tables.delimited import read_delimited
from gradatim.data.text.telling import is_prose

__all__ = ["SOURCE", "Csv"]

ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")


class Csv(Source):
    """A header and rows; comma, tab or semicolon between the cells."""

    summary: ClassVar[str] = "a table as text (.csv, .tsv, .txt, .gz): comma, tab or semicolon"

    def claims(self, location: str, options: ReadOptions) -> bool:
        table = location.lower().endswith(ENDINGS) and not asks_to_translate(options)
        return table and not is_prose(location, options)

    def read(self, location: str, options: ReadOptions) -> Dataset:
        path = checked_path(location, "file")
        columns, origin = read_delimited(path, location, options)
        data = dataset_from_cells(columns, origin, options)
        return data.noting(*_header_remark([cells.name for cells in columns]))


def _header_remark(names: list[str]) -> tuple[Finding, ...]:
    if any(number_of(name) is None for name in names):
        return ()
    message = f"the first line is taken as names of columns: {listed(names, 5)}"
    return (Finding("header", "warning", message, "add a line of names if it is a row of data"),)


SOURCE = Csv()
