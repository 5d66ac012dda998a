"""The only module that writes: whatever changes the disk is one of these functions.

The tests kill a process before, after and in the middle of every use of `os` in here, and let each
of them fail as a full, broken or read-only disk does.
"""

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gradatim.core.errors import ResourceError

__all__ = [
    "append",
    "create",
    "flush",
    "make_folder",
    "passing",
    "remove",
    "remove_tree",
    "rename",
    "write",
]

FULL = "free space there, then give the same command again"
CLOSED = "choose a folder that you may write to, with --out"
REMEDIES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EIO: "the disk may be failing: look at it, or go on with a copy on another one",
    errno.EROFS: CLOSED,
    errno.EACCES: CLOSED,
    errno.EPERM: CLOSED,
}
PASSING = re.compile(r"(^|/)\.?([^/]+?)\.tmp-[^/]*")


def passing(path: Path) -> Path:
    """Return a name beside `path` for what is being written; nobody else has it.

    A hidden one: `sweep` in `runs/files.py` knows it by its look when its process was killed.
    """
    return path.with_name(f".{path.name}.tmp-{os.getpid()}-{secrets.token_hex(3)}")


def create(path: Path, content: bytes) -> None:
    """Write a new file and flush it to the disk; when that fails, no file is left.

    Raises:
        FileExistsError: it is there already.
        ResourceError: the disk is full, broken, or not to be written; so do all functions here.
    """
    with _told(path, but=FileExistsError):
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        try:
            _write(handle, content)
            os.fsync(handle)
        except BaseException:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108  one road to the disk: see the module
            raise
        finally:
            os.close(handle)


def write(path: Path, content: bytes) -> None:
    """Put a file in the place of another one, or make it: the old one or the new one, never a half.

    Write it under a passing name, flush it, rename it, flush the folder.
    """
    make_folder(path.parent)
    part = passing(path)
    try:
        create(part, content)
        rename(part, path)
    except BaseException:
        with suppress(ResourceError):
            remove(part)
        raise
    flush(path.parent)


def append(path: Path, content: str | bytes) -> None:
    """Add lines, or bytes, to a file, made when it is not there; it is flushed by `flush` alone.

    A line that does not fit on the disk is taken back.
    """
    with _told(path):
        handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o666)
        try:
            length = os.fstat(handle).st_size
            try:
                _write(handle, content.encode() if isinstance(content, str) else content)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(handle, length)
                raise
        finally:
            os.close(handle)


def flush(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk itself."""
    with _told(path):
        _flush(path)


def rename(old: Path, new: Path) -> None:
    """Give a file or a folder another name, in the place of what has it."""
    with _told(new):
        os.replace(old, new)  # noqa: PTH105


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    with _told(path), suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108


def remove_tree(folder: Path) -> None:
    """Remove a folder with everything in it, if it is there; links are removed, never followed.

    It loses its name first: half of a folder must not look like one.
    """
    if not folder.is_dir():
        return
    gone = folder if ".tmp-" in folder.name else passing(folder)
    if gone != folder:
        rename(folder, gone)
    with _told(folder), suppress(FileNotFoundError):
        for place, folders, files in os.walk(gone, topdown=False):
            links = [name for name in folders if Path(place, name).is_symlink()]
            for name in [*files, *links]:
                os.unlink(Path(place, name))  # noqa: PTH108
            for name in set(folders) - set(links):
                os.rmdir(Path(place, name))  # noqa: PTH106
        os.rmdir(gone)  # noqa: PTH106


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, unless it is there; each new name is flushed."""
    with _told(folder):
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            with suppress(FileExistsError):  # another process was faster
                os.mkdir(path)  # noqa: PTH102
            _flush(path.parent)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def _write(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:  # a disk that is nearly full takes a part
        rest = rest[os.write(handle, rest) :]


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems cannot flush a folder, and say that the request makes no sense.
        if error.errno != errno.EINVAL or not path.is_dir():
            raise
    finally:
        os.close(handle)


@contextmanager
def _told(path: Path, but: type[OSError] | tuple[()] = ()) -> Iterator[None]:
    """Turn what the disk says into an error of the user, about the name that the user knows."""
    try:
        yield
    except but:
        raise
    except OSError as error:
        lasting = PASSING.sub(r"\1\2", str(path))
        remedy = REMEDIES.get(error.errno or 0, "free or change the folder")
        reason = error.strerror or error
        raise ResourceError(f"cannot write {lasting}: {reason};\n{remedy}") from error
