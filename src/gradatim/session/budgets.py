"""Budgets of memory and disk: looked at while the work goes on, and never exceeded for long."""

import _thread
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from gradatim.core.errors import ResourceError

__all__ = ["Budgets", "kept", "memory_left", "memory_used"]

GIGA = 1e9
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
LOOK, STRIDE = 0.2, 10  # seconds between two looks at the memory; looks between two at the disk
SHARE = 0.95
"""Of the memory that is free at the start, which may be used where no budget is given."""


@dataclass(frozen=True)
class Budgets:
    """What a command may use, in gigabytes (1e9 bytes): memory, disk of its folder."""

    memory: float | None = None
    disk: float | None = None


@contextmanager
def kept(budgets: Budgets, folder: Path) -> Iterator[None]:
    """End the block when a budget is exceeded; what is finished stays, and a fit saves first.

    Args:
        budgets: without one for memory, it is 95 % of what is free now: the kernel would kill.
        folder: of the run.

    Raises:
        ResourceError: naming the budget and what was used.
    """
    watch = _Watch(budgets, folder)
    thread = threading.Thread(target=watch.look, name="budgets", daemon=True)
    thread.start()
    try:
        with _hearing(watch):
            yield
    except KeyboardInterrupt:
        if watch.trouble:
            raise ResourceError(watch.trouble) from None
        raise
    finally:
        watch.over.set()
        thread.join()


@contextmanager
def _hearing(watch: "_Watch") -> Iterator[None]:
    """Hear of trouble where SIGINT is ignored, as a shell has it for what it runs beside."""

    def hear(number: int, frame: FrameType | None) -> None:
        if watch.trouble:
            raise KeyboardInterrupt

    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Watch:
    def __init__(self, budgets: Budgets, folder: Path) -> None:
        self.given, self.folder = budgets, folder
        free = memory_left()
        most = None if free is None else memory_used() + SHARE * free
        self.memory = budgets.memory or most
        self.over, self.trouble = threading.Event(), ""

    def look(self) -> None:
        """Look until the block is over; where too much is used, raise Ctrl-C in the main thread."""
        looks = 0
        while not self.over.wait(LOOK):
            self.trouble = self._memory() or (self._disk() if looks % STRIDE == STRIDE - 1 else "")
            looks += 1
            if self.trouble:
                _interrupt()
                return

    def _memory(self) -> str:
        used = memory_used()
        if self.memory is None or used <= self.memory:
            return ""
        whose = "--memory" if self.given.memory else "what this machine has left:"
        return (
            f"{used:.2f} GB of memory are in use, more than {whose} {self.memory:.2f} GB;\n"
            "what is finished is kept. Use --rows, leave out costly rungs, or give more --memory"
        )

    def _disk(self) -> str:
        if self.given.disk is None:
            return ""
        used = _size(self.folder) / GIGA
        if used <= self.given.disk:
            return ""
        return (
            f"{self.folder} holds {used:.2f} GB, more than --disk {self.given.disk:.2f};\n"
            "what is finished is kept. Give more --disk, or leave rungs out"
        )


def _interrupt() -> None:
    """Raise Ctrl-C in the main thread, also while it sleeps or waits, where the system can."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()


def memory_used() -> float:
    """Return the gigabytes that this process and those below it hold for themselves.

    Files and arrays that they share are not counted. 0 where the system does not tell (no /proc).
    """
    return sum(_private(pid) for pid in _family()) / GIGA


def memory_left() -> float | None:
    """Return the gigabytes that are free on this machine, or in this container."""
    told = [_available(), _container()]
    known = [free for free in told if free is not None]
    return min(known) / GIGA if known else None


def _family() -> list[int]:
    """Return the numbers of this process and of all below it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    family = [os.getpid()]
    for pid in family:
        family += parents.get(pid, [])
    return family


def _private(pid: int) -> float:
    try:
        _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
    except (OSError, ValueError):
        return 0.0
    return float((resident - shared) * PAGE)


def _available() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next(1024.0 * int(x.split()[1]) for x in lines if x.startswith("MemAvailable"))


def _container() -> float | None:
    """Return what the control group of this process leaves, where it has a limit."""
    root = Path("/sys/fs/cgroup")
    try:
        most = (root / "memory.max").read_text().strip()
        used = int((root / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return None if most == "max" else float(int(most) - used)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue  # it went while we looked
    return total
