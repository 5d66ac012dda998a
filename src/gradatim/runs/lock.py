"""One process a run folder: a lock that names its holder, so that a stale one is recognised."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gradatim.core.errors import LockedError, ResourceError
from gradatim.runs import disk
from gradatim.runs.files import LOCK, sweep

__all__ = ["locked"]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder while the block runs.

    The lock file names the process by number, start time and boot, so one left behind by a killed
    process, or by a machine that was restarted, is taken over; so are its half-written files.

    Raises:
        LockedError: a living process holds the folder.
        ResourceError: the folder cannot be written.
    """
    path = folder / LOCK
    disk.make_folder(folder)
    with _alone(folder):
        _take(path)
    try:
        sweep(folder)
        yield
    finally:
        with suppress(ResourceError):  # why the block failed matters more
            disk.remove(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time look at a lock and take it: two must not take over the same one.

    The kernel forgets who waits here when that process dies.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise ResourceError(f"cannot read {folder}: {error.strerror}; choose --out") from error
    try:
        with suppress(OSError):  # a file system without locks of its own: the lock file has to do
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _take(path: Path) -> None:
    other = _read(path)
    if other and _holder(int(str(other["pid"]))) == other:
        raise LockedError(
            f"{path.parent} is in use by process {other['pid']}; "
            "wait for it, or choose another --out"
        )
    disk.remove(path)
    try:
        disk.create(path, json.dumps(_holder(os.getpid())).encode())
    except FileExistsError:
        raise LockedError(
            f"{path.parent} is being taken by several processes; choose another --out"
        ) from None


def _read(path: Path) -> dict[str, object] | None:
    try:
        value = json.loads(path.read_text())
        return value if isinstance(value, dict) and type(value.get("pid")) is int else None
    except (OSError, ValueError):
        return None


def _holder(pid: int) -> dict[str, object]:
    """Return what tells this process from a later one with the same number."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if facts[0] in "ZX":  # dead, and nobody has asked how it ended
            return {}
        start = facts[19]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return {}
        except PermissionError:
            pass
        start = boot = "unknown"
    return {"pid": pid, "start": start, "boot": boot}
