"""Telling running text from tables that are written as text."""

import codecs
import gzip
import os
import zlib
from pathlib import Path

from gradatim.core.source import ReadOptions
from gradatim.data.tables.delimited import tabular

__all__ = ["ENDINGS", "holds_text", "is_prose"]

ENDINGS = frozenset({".txt", ".text", ".md"})
LOOK = 2**16
"""Bytes that decide whether a .txt file is a table."""
_PACKED = ".gz"


def is_prose(location: str, options: ReadOptions) -> bool:
    """Tell whether a file is running text that is to be modelled.

    A .txt file may be either: it is a table when a role of a column is given, or when its first
    lines have equally many cells and no job says otherwise.
    """
    name = location.lower().removesuffix(_PACKED)
    ending = os.path.splitext(name)[1]  # noqa: PTH122  of a location that may be no path
    columns = (options.target, options.group, options.time)
    languages = (options.source_language, options.target_language)
    if ending not in ENDINGS or options.job not in (None, "model_text") or any(languages):
        return False
    if ending != ".txt" or options.job == "model_text":
        return True
    return not any(columns) and not tabular(_beginning(Path(location), options.encoding))


def holds_text(path: Path) -> bool:
    """Tell whether a folder holds files of text and nothing else."""
    try:
        entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
        named = [entry.suffix.lower() in ENDINGS and entry.is_file() for entry in entries]
    except OSError:
        return False
    return bool(named) and all(named) and not (path / "classes.txt").exists()


def _beginning(path: Path, encoding: str | None) -> str:
    """Return the first characters of a file; nothing when it cannot be read, which reading says."""
    try:
        with path.open("rb") as file:
            packed = path.suffix.lower() == _PACKED
            head = gzip.GzipFile(fileobj=file).read(LOOK) if packed else file.read(LOOK)
        whole = head[: head.rfind(b"\n") + 1] or head
        return codecs.decode(whole, encoding or "utf-8-sig", "replace")
    except (OSError, EOFError, zlib.error, LookupError):
        return ""
