"""One process a run folder: a lock that names its holder, so that a stale one is recognised."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradatim.core.errors import LockedError, ResourceError
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
    path, me = folder / LOCK, _holder(os.getpid())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _take(path, me)
    except OSError as error:
        raise ResourceError(f"cannot write {folder}: {error.strerror}; choose --out") from error
    try:
        sweep(folder)
        yield
    finally:
        path.unlink(missing_ok=True)


def _take(path: Path, me: dict[str, object]) -> None:
    for _ in range(10):
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            other = _read(path)
            if other and _holder(int(str(other["pid"]))) == other:
                raise LockedError(
                    f"{path.parent} is in use by process {other['pid']}; "
                    "wait for it, or choose another --out"
                ) from None
            path.unlink(missing_ok=True)
            continue
        with os.fdopen(handle, "w") as file:
            json.dump(me, file)
        return
    raise LockedError(f"{path.parent} is being taken by several processes; choose another --out")


def _read(path: Path) -> dict[str, object] | None:
    try:
        value = json.loads(path.read_text())
        return value if isinstance(value, dict) and type(value.get("pid")) is int else None
    except (OSError, ValueError):
        return None


def _holder(pid: int) -> dict[str, object]:
    """Return what tells this process from a later one with the same number."""
    try:
        start = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
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
