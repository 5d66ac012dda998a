"""A guard ends what Ray leaves behind when the climb is killed: its agents would stay for a minute.

The guard is a process of its own that waits for the end of a pipe, and meanwhile notes who was
started below the climb: later nobody could tell, because Ray's processes rewrite their names and
their environments. Where there is no /proc, Ray's own pace is left.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["guarded"]

PAUSE = 1.0
"""Seconds between two looks at who is there."""


@contextmanager
def guarded() -> Iterator[None]:
    """Have everything that is started in the block ended if this process dies in it."""
    guard = subprocess.Popen(
        [sys.executable, "-m", "gradatim.compare.clusters.guard", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a terminal's Ctrl-C is not for it
    )
    try:
        yield
    finally:
        with suppress(BrokenPipeError):
            guard.communicate(b"ended as it should")


def _watch(climb: int) -> None:
    """Note the processes below a climb until its pipe ends; end them if it said nothing."""
    known: set[tuple[int, str]] = set()
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        known |= _below(climb)
    if sys.stdin.buffer.read():
        return
    born = {pid: start for pid, (_, start) in _processes().items()}
    for pid, start in known:
        if born.get(pid) == start and pid != os.getpid():  # a number may be another's by now
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _below(climb: int) -> set[tuple[int, str]]:
    """Return number and start time of every process that a process has begot."""
    there = _processes()
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in there.items():
        children.setdefault(parent, []).append(pid)
    found, left = set[tuple[int, str]](), [climb]
    while left:
        begot = children.get(left.pop(), [])
        found |= {(pid, there[pid][1]) for pid in begot}
        left += begot
    return found


def _processes() -> dict[int, tuple[int, str]]:
    """Return parent and start time of every process, by its number."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # gone meanwhile
            told = path.read_text().rpartition(")")[2].split()
            found[int(path.parent.name)] = int(told[1]), told[19]
    return found


if __name__ == "__main__":
    _watch(int(sys.argv[1]))
