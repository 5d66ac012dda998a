"""`forked`: calls side by side in workers that are forked from one process, as they become free."""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Any

__all__ = ["Call", "WorkerKilled", "available", "forked", "prepare"]

GRACE = 10.0
"""Seconds that workers have to save a checkpoint when they are asked to leave."""
THREADS = ("OMP", "MKL", "OPENBLAS", "BLIS", "VECLIB_MAXIMUM", "NUMBA", "NUMEXPR")
BEGIN = """
import sys
sys.path[:] = {path!r}
from gradatim.compare.local.nursery import main
main({number})
"""

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class WorkerKilled(Exception):
    """A worker is gone that nobody had asked to go."""


class Staff:
    """The nursery of this process and the workers forked from it, all idle or all on one job."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        env = dict(os.environ) | {f"{name}_NUM_THREADS": "1" for name in THREADS}
        code = BEGIN.format(path=sys.path, number=theirs.fileno())
        # Ctrl-C goes to all processes of a terminal: it waits until the nursery ignores it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.nursery = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                env=env,
                pass_fds=[theirs.fileno()],
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.orders, self.owner = ours, os.getpid()
        self.lines: dict[Any, int] = {}

    def grow(self, count: int) -> None:
        """Have as many workers as that, at least."""
        from gradatim.compare.local.line import Line

        with self.orders.makefile("r") as told:
            while len(self.lines) < count:
                ours, theirs = socket.socketpair()
                with theirs:
                    socket.send_fds(self.orders, [b"+"], [theirs.fileno()])
                    self.lines[Line(ours)] = int(told.readline() or _gone())

    def run(self, calls: Iterator[Call], count: int) -> Iterator[tuple[int, Any]]:
        """Yield (number of the call, result) as calls finish; one is drawn when a worker is free.

        Raises:
            WorkerKilled: a worker died.
        """
        from gradatim.compare.local.line import Memory

        self.grow(count)
        memory, numbered = Memory(), enumerate(calls)
        busy: dict[Any, int] = {}
        ready: list[tuple[int, Any]] = []
        free = list(self.lines)[:count]
        try:
            while True:
                # Workers are given new calls before the listener is given results.
                while free and (following := next(numbered, None)) is not None:
                    number, call = following
                    line = free.pop()
                    busy[line] = number
                    _say(line, call, memory)
                yield from ready
                if not busy:
                    return
                done = [(line, _heard(line)) for line in wait(list(busy))]
                free += [line for line, _ in done]
                ready = [(busy.pop(line), result) for line, result in done]
        finally:
            memory.close()

    def dismiss(self) -> None:
        """Ask the workers to save and leave; end those that take longer than some seconds."""
        for worker in self.lines.values():
            _signal(worker, signal.SIGTERM)
        end = time.monotonic() + GRACE
        try:
            left = list(self.lines)
            while left and time.monotonic() < end:
                ready: list[Any] = wait(left, timeout=0.2)
                for line in ready:
                    if line.hear() is None:
                        left.remove(line)
        finally:
            for worker in self.lines.values():
                _signal(worker, signal.SIGKILL)
            self.close()

    def close(self) -> None:
        """Hang up and end the nursery: idle workers go by themselves."""
        for line in self.lines:
            line.close()
        self.orders.close()
        self.nursery.kill()
        self.nursery.wait()


_idle: list[Staff] = []


@atexit.register
def _close_all() -> None:
    for staff in _idle:
        if staff.owner == os.getpid():
            staff.close()


def available() -> bool:
    """Tell whether workers can be forked here: elsewhere libraries of the system forbid it."""
    return sys.platform == "linux"


def prepare() -> None:
    """Let a nursery begin with its imports, for the next `forked`; harmless if none comes."""
    if available() and not _living():
        _idle.append(Staff())


def forked(calls: Iterable[Call], count: int, *, ordered: bool) -> Iterator[Any]:
    """Run calls in `count` workers and yield their results.

    When the caller stops listening, the workers are ended.

    Raises:
        WorkerKilled: a worker was killed.
    """
    _living()
    staff = _idle.pop() if _idle else Staff()
    try:
        results = staff.run(iter(calls), count)
        yield from _in_order(results) if ordered else (result for _, result in results)
    except BaseException:
        staff.dismiss()
        raise
    _idle.append(staff)


def _in_order(results: Iterator[tuple[int, Any]]) -> Iterator[Any]:
    early: dict[int, Any] = {}
    following = 0
    for number, result in results:
        early[number] = result
        while following in early:
            yield early.pop(following)
            following += 1


def _living() -> bool:
    """Forget staff that is not ours, after a fork, or whose nursery is gone."""
    mine = [s for s in _idle if s.owner == os.getpid() and s.nursery.poll() is None]
    _idle[:] = mine
    return bool(mine)


def _say(line: Any, call: Call, memory: Any) -> None:
    try:
        line.say(call, memory)
    except (BrokenPipeError, ConnectionResetError) as error:
        raise WorkerKilled from error


def _heard(line: Any) -> Any:
    said = line.hear()
    if said is None:
        raise WorkerKilled
    well, result = said
    if not well:
        raise result
    return result


def _signal(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _gone() -> str:
    raise WorkerKilled
