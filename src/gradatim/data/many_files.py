"""Many files at once: looked at and decoded in threads, broken ones set apart."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.data.naming import shown

__all__ = ["Decoding", "decode_all", "in_threads", "looked_at", "quarantined", "refuse_many"]

BROKEN_SHARE = 0.2
_AT_ONCE = 128

T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Decoding:
    """What came of decoding many files.

    Args:
        good: bool (rows,), the files that could be decoded.
        troubles: what is wrong with the others, in their order.
        fingerprint: sha256 over names and bytes of all files.
    """

    good: np.ndarray
    troubles: tuple[str, ...]
    fingerprint: str


def looked_at(
    look: Callable[[Path, str], T], files: Sequence[Path], names: Sequence[str]
) -> list[T | DataError]:
    """Return what a look at each file says, such as its header, or the complaint about it."""

    def one(row: int) -> T | DataError:
        try:
            return look(files[row], names[row])
        except DataError as error:
            return error

    return in_threads(one, range(len(files)))


def decode_all(
    take: Callable[[int, bytes], None],
    files: Sequence[Path],
    names: Sequence[str],
    location: str,
    kind: str = "pictures",
) -> Decoding:
    """Read every file and hand its bytes over.

    Args:
        take: decodes the bytes of a row and puts them where they belong, or raises DataError.
        files: where they are.
        names: what each is called, relative to the folder.
        location: as the user gave it.
        kind: of the files, for messages.

    Raises:
        DataError: above 20 % of the files cannot be decoded.
    """

    def one(row: int) -> tuple[bytes, str]:
        try:
            content = files[row].read_bytes()
            take(row, content)
        except (DataError, OSError) as error:
            return b"", str(error)
        return hashlib.sha256(content).digest(), ""

    results = in_threads(one, range(len(files)))
    troubles = tuple(trouble for _, trouble in results if trouble)
    refuse_many(troubles, len(files), location, kind)
    digest = hashlib.sha256()
    for label, (mark, _) in zip(names, results, strict=True):
        digest.update(label.encode() + b"\0" + mark)
    good = np.array([not trouble for _, trouble in results])
    return Decoding(good, troubles, digest.hexdigest())


def quarantined(
    names: Sequence[str], good: np.ndarray, troubles: Sequence[str], kind: str = "pictures"
) -> list[Finding]:
    """Return a warning on files that could not be decoded.

    Args:
        names: of all files.
        good: bool, which of them could be.
        troubles: what is wrong with the others.
        kind: of the files.
    """
    broken = [name for name, usable in zip(names, good, strict=True) if not usable]
    if not broken:
        return []
    message = f"{len(broken)} {kind} cannot be decoded and are left out; the first: {troubles[0]}"
    remedy = "copy them again or remove them"
    return [Finding("quarantined", "warning", message, remedy, tuple(broken[:20]))]


def refuse_many(troubles: Sequence[str], files: int, location: str, kind: str = "pictures") -> None:
    """Refuse data of which above 20 % of the files cannot be used.

    Raises:
        DataError: with the first of the troubles.
    """
    if len(troubles) > BROKEN_SHARE * files:
        share = f"{len(troubles)} of {files} {kind} cannot be used"
        raise DataError(f"{shown(location, 200)}: {share}; the first: {troubles[0]}")


def in_threads(work: Callable[[Item], T], items: Sequence[Item]) -> list[T]:
    """Return what `work` makes of each item, in order; decoders let go of the interpreter."""
    starts = range(0, len(items), _AT_ONCE)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        chunks = pool.map(lambda i: [work(item) for item in items[i : i + _AT_ONCE]], starts)
        return [result for chunk in chunks for result in chunk]
