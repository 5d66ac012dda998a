"""A guard ends what Ray leaves behind when the climb is killed: its agents would stay for a minute.

The guard is a process of its own that waits for the end of a pipe. What belongs to the cluster is
told by a mark in its environment; where there is no /proc to read that, Ray's own pace is left.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["guarded"]

MARK = "GRADATIM_CLUSTER"
ROUNDS, PAUSE = 6, 0.5


@contextmanager
def guarded() -> Iterator[None]:
    """Have everything that is started in the block ended if this process dies in it."""
    mark = secrets.token_hex(16)
    guard = subprocess.Popen(
        [sys.executable, "-m", "gradatim.compare.clusters.guard", mark],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a terminal's Ctrl-C is not for it
    )
    os.environ[MARK] = mark
    try:
        yield
    finally:
        del os.environ[MARK]
        with suppress(BrokenPipeError):
            guard.communicate(b"ended as it should")


def _wait(mark: str) -> None:
    if sys.stdin.buffer.read():
        return
    for _ in range(ROUNDS):
        for pid in _marked(f"{MARK}={mark}".encode()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(PAUSE)


def _marked(entry: bytes) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # gone meanwhile, or somebody else's
            if entry in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)


if __name__ == "__main__":
    _wait(sys.argv[1])
