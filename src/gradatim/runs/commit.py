"""Folders that are whole or not there: the protocol by which a checkpoint is committed.

    step-N.tmp-*          a folder of its own
    every file            written and flushed
    manifest.json         sizes, hashes and meaning; last, and flushed
    the folder            flushed, renamed to step-N, its parent flushed
    LATEST                replaced: a hint for people; reading looks at the folders themselves
    the files             read back
    older folders         removed, but never below two that are as they were written

A kill between any two of these leaves what was committed before, and a name that `sweep` knows.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gradatim.core.errors import CorruptError, ResourceError
from gradatim.runs import disk
from gradatim.runs.files import read_json, sha256

__all__ = ["LATEST", "MANIFEST", "commit", "committed", "manifest_of", "prune", "sweep"]

LATEST, MANIFEST = "LATEST", "manifest.json"
NAME = re.compile(r"step-(\d+)(?:-(\d+))?")


def commit(home: Path, step: int, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> Path:
    """Write a folder of files into `home` and return it when it is there for good.

    Args:
        home: of all commits, made when it is not there.
        step: what they are numbered by; a second one of a step is `step-N-2`.
        files: their content by name.
        facts: for the manifest.

    Raises:
        ResourceError: the disk refused, or did not keep what it was given; what was committed
            before is untouched and temporary files are gone, where the disk allows it.
    """
    disk.make_folder(home)
    folder = _free(home, step)
    part = folder.with_name(f"{folder.name}.tmp-{secrets.token_hex(3)}")
    with _or_nothing(part):
        disk.make_folder(part)
        for name, content in files.items():
            disk.create(part / name, content)
        disk.create(part / MANIFEST, _manifest(step, files, facts))
        disk.flush(part)
        disk.rename(part, folder)
    with _or_nothing(folder):
        disk.flush(home)
        disk.write(home / LATEST, f"{folder.name}\n".encode())
        _read_back(folder)
    return folder


def committed(home: Path) -> list[Path]:
    """Return all folders of `home` that have a lasting name, the newest first."""
    numbers = _numbers(home)
    return sorted(numbers, key=numbers.__getitem__, reverse=True)


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder after comparing every file with it.

    Raises:
        CorruptError: naming the file that is missing or differs, be it the manifest.
    """
    path = folder / MANIFEST
    manifest = read_json(path)
    known = isinstance(manifest, dict) and manifest.pop("seal", None) is not None
    if not known or path.read_bytes() != _sealed(manifest):
        raise CorruptError(f"{path} is not what was written")
    for name, (size, digest) in manifest["files"].items():
        if Path(name).name != name:
            raise CorruptError(f"{path} names a file that is elsewhere")
        _compare(folder / name, size, digest)
    return manifest


def prune(home: Path, fresh: Path) -> None:
    """Keep a commit and the newest before it that is as it was written; without one, remove none.

    What is newer than `fresh` was given up: the work went on from before it.

    Args:
        home: of all commits.
        fresh: one that was read back a moment ago.
    """
    found = committed(home)
    for older in found[found.index(fresh) + 1 :]:
        with suppress(CorruptError):
            manifest_of(older)
            break
    else:
        return
    for folder in found:
        if folder not in (fresh, older):
            disk.remove_tree(folder)


def sweep(home: Path) -> None:
    """Remove what killed processes left half-written or half-removed."""
    for path in sorted(home.glob("*.tmp-*")):
        (disk.remove_tree if path.is_dir() else disk.remove)(path)


def _numbers(home: Path) -> dict[Path, tuple[int, int]]:
    """Return the step of each commit, and which one of that step it is."""
    found = {p: NAME.fullmatch(p.name) for p in home.glob("step-*")}
    return {p: (int(m[1]), int(m[2] or 1)) for p, m in found.items() if m and p.is_dir()}


def _free(home: Path, step: int) -> Path:
    """Return a new name: one step may be committed before its record and again after it."""
    last = max((again for other, again in _numbers(home).values() if other == step), default=0)
    return home / (f"step-{step}-{last + 1}" if last else f"step-{step}")


def _manifest(step: int, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> bytes:
    hashes = {name: [len(c), hashlib.sha256(c).hexdigest()] for name, c in files.items()}
    return _sealed({**facts, "step": step, "files": hashes})


def _sealed(manifest: Mapping[str, Any]) -> bytes:
    """Return the bytes of a manifest with its own hash: a flipped byte in it must be seen too."""
    seal = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
    return (json.dumps({**manifest, "seal": seal}, indent=1) + "\n").encode()


def _compare(path: Path, size: int, digest: str) -> None:
    try:
        same = path.stat().st_size == size and sha256(path) == digest
    except OSError as error:
        raise CorruptError(f"cannot read {path}: {error.strerror}") from error
    if not same:
        raise CorruptError(f"{path} is not what was written (its SHA-256 differs)")


def _read_back(folder: Path) -> None:
    try:
        manifest_of(folder)
    except CorruptError as error:
        raise ResourceError(
            f"cannot write {folder}: the disk did not keep what it was given;\nlook at the disk, "
            "or go on with a copy on another one"
        ) from error


@contextmanager
def _or_nothing(folder: Path) -> Iterator[None]:
    """Remove a folder, where the disk allows it, when the block fails."""
    try:
        yield
    except BaseException:
        with suppress(ResourceError):
            disk.remove_tree(folder)
        raise
