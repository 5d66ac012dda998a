"""Writing files so that a crash leaves the old one or the new one, never a half."""

import hashlib
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.core.errors import CorruptError
from gradatim.runs import disk

__all__ = [
    "finish",
    "finish_all",
    "finish_anew",
    "is_finished",
    "is_leftover",
    "is_whole",
    "read_array",
    "read_json",
    "sha256",
    "sweep",
    "verify",
    "write_array",
    "write_arrays",
    "write_bytes",
    "write_json",
]

COMPLETE, LOCK = "complete.json", ".lock"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, and its folder when it is not there.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.
    """
    disk.write(path, content)


def is_leftover(path: Path) -> bool:
    """Tell whether a path is a lock or half-written, such as a killed process leaves."""
    return path.name == LOCK or (path.name.startswith(".") and ".tmp-" in path.name)


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-written; the folder must be locked."""
    for path in sorted(folder.rglob(".*.tmp-*")):
        if path.is_dir() and not path.is_symlink():
            disk.remove_tree(path)
        else:
            disk.remove(path)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, so that equal values are equal bytes; NaN is refused."""
    text = json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=True)
    write_bytes(path, (text + "\n").encode())


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        CorruptError: the file is missing or is no JSON.
    """
    if path.exists() and not path.is_file():
        raise CorruptError(f"{path} is no file; restore it or start anew")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptError(f"cannot read {path}: {error}; restore it or start anew") from error


def write_array(path: Path, array: np.ndarray) -> None:
    """Write one array as .npy."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write named arrays as .npz."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_bytes(path, buffer.getvalue())


def read_array(path: Path) -> Any:
    """Read .npy (an array) or .npz (a mapping of arrays); pickled content is refused."""
    try:
        loaded = np.load(path, allow_pickle=False)
        return dict(loaded) if path.suffix == ".npz" else loaded
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise CorruptError(f"cannot read {path}: {error}; restore it or start anew") from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def finish(folder: Path, names: list[str]) -> None:
    """Declare a folder complete: write `complete.json` with the hash of each named file."""
    write_json(folder / COMPLETE, {name: sha256(folder / name) for name in sorted(names)})


def is_finished(folder: Path) -> bool:
    """Tell whether a folder was declared complete."""
    return (folder / COMPLETE).is_file()


def verify(folder: Path) -> None:
    """Check every file that `complete.json` names.

    Raises:
        CorruptError: naming the first file that is missing or differs.
    """
    hashes = read_json(folder / COMPLETE)
    if not isinstance(hashes, dict):
        raise CorruptError(f"{folder / COMPLETE} names no files; restore it")
    for name, digest in hashes.items():
        path = folder / name
        if not path.is_file() or sha256(path) != digest:
            raise CorruptError(f"{path} is not what was written (its SHA-256 differs); restore it")


def is_whole(folder: Path) -> bool:
    """Tell whether a folder was declared complete and is still what was written."""
    try:
        verify(folder)
    except CorruptError:
        return False
    return True


def finish_all(folder: Path, without: str = "") -> None:
    """Declare a folder complete with every file below it, hidden and temporary ones aside.

    Args:
        folder: whose files are meant.
        without: the name of a folder in it that will go, such as that of the checkpoints.
    """
    paths = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    named = [p for p in paths if not any(part.startswith(".") for part in p.parts)]
    finish(folder, [str(p) for p in named if p.name != COMPLETE and p.parts[0] != without])


def finish_anew(folder: Path) -> None:
    """Write the hashes of a finished folder anew, after a file in it was meant to change."""
    if is_finished(folder):
        finish_all(folder)
