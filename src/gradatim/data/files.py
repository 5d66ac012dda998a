"""Opening what a location names: refuses what is not there, would block, or is too large."""

import gzip
import os
import stat
import zlib
from pathlib import Path
from typing import Literal

from gradatim.core.errors import DataError, ResourceError, nearest
from gradatim.data.naming import plain_name, shown

__all__ = ["available_memory", "checked_path", "content_of", "must_fit"]


def checked_path(location: str, expected: Literal["file", "folder"] | None = None) -> Path:
    """Return the path, which is there and is a file or a folder.

    Raises:
        DataError: it is not there, is something else, or may not be looked at.
    """
    path = Path(location)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        if os.path.lexists(location):
            trouble = f"{shown(location, 200)} is a link that leads nowhere"
            raise DataError(f"{trouble}; give what it should lead to") from error
        raise DataError(f"{shown(location, 200)} does not exist; {_neighbours(path)}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{shown(location, 200)}: {_reason(error)}; check the path") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        what = f"{shown(location, 200)} is a pipe, a device or a socket"
        raise DataError(f"{what}; write the data to a file first")
    found = "folder" if stat.S_ISDIR(mode) else "file"
    if expected not in (None, found):
        raise DataError(f"{shown(location, 200)} is a {found}; give a {expected}")
    return path


def content_of(path: Path, *, growth: float = 1.0) -> bytes:
    """Return the bytes of a file, unpacked when its name ends in .gz.

    Args:
        path: the file.
        growth: bytes of memory that each byte of content will take once it is read.

    Raises:
        DataError: it cannot be read or unpacked, or is empty.
        ResourceError: it does not fit into memory.
    """
    try:
        # Without O_NONBLOCK a pipe that took the file's place would block for ever.
        with open(path, "rb", opener=_without_blocking) as file:
            must_fit(int(os.fstat(file.fileno()).st_size * growth), str(path))
            content = _unpacked(file, path, growth) if path.suffix == ".gz" else file.read()
    except (OSError, EOFError, zlib.error) as error:
        remedy = "copy the file again, or check its permissions"
        raise DataError(f"{shown(path, 200)}: {_reason(error)}; {remedy}") from error
    if not content:
        raise DataError(f"{shown(path, 200)} is empty; give a file with data")
    return content


def _without_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _unpacked(file: object, path: Path, growth: float) -> bytes:
    blocks, size = [], 0
    with gzip.open(file) as packed:  # type: ignore[call-overload]
        while block := packed.read(1 << 22):
            blocks.append(block)
            size += len(block)
            must_fit(int(size * growth), str(path))
    return b"".join(blocks)


def must_fit(need: int, name: str) -> None:
    """Refuse data that would take more memory than there is.

    Args:
        need: bytes.
        name: of the data, for the message.

    Raises:
        ResourceError: `need` is above the available memory.
    """
    have = available_memory()
    if need > have:
        trouble = f"{shown(name, 200)} needs about {need / 1e9:.1f} GB of memory"
        raise ResourceError(f"{trouble}, {have / 1e9:.1f} GB are free; give fewer rows or columns")


def available_memory() -> int:
    """Return the bytes that can be had without swapping; half of all where nobody tells."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return 8 << 30


def _neighbours(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        return f"there is no folder {shown(folder, 200)} either"
    names = sorted(plain_name(entry.name) for entry in folder.iterdir() if entry.name[0] != ".")
    if not names:
        return f"the folder {shown(folder, 200)} is empty"
    hint = nearest(path.name, names)
    known = f"in {shown(folder, 200)}: " + ", ".join(shown(name) for name in names[:5])
    return hint if "?" in hint and hint.isprintable() else known


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[0].lower() + text[1:].replace("\n", " ")
