"""Noticing that a rank is gone, and telling the others why one leaves."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Fault", "Watch"]

BEAT = 1.0
"""Seconds between two signs of life."""
SILENCE = 20.0
"""Seconds without one after which a rank is given up."""
GRACE = 5.0
"""Seconds to find out who is gone when a connection breaks; torchrun waits thirty for us."""
LACK = 5
"""The exit code of used-up or lost resources."""


@dataclass(frozen=True)
class Fault:
    """Why a rank left the others: its exit code, its words, and the traceback for developers.

    One that is `lost` did not say so itself.
    """

    rank: int
    code: int
    message: str
    trace: str = ""
    lost: bool = False


class Watch:
    """Signs of life and last words of the ranks, in the store through which they met.

    Args:
        store: of torch.distributed; a connection of its own, since a second thread uses it.
        rank: of this process.
        size: ranks in all.
    """

    def __init__(self, store: Any, rank: int, size: int) -> None:
        self.store, self.rank, self.size = store, rank, size
        self.others = [other for other in range(size) if other != rank]
        self.processes: dict[int, dict[str, str]] = {}
        self.heard: dict[int, tuple[bytes, float]] = {}
        self.parent = os.getppid()
        self._say("process", json.dumps(_identity(os.getpid())))
        self._say("beat", "0")

    def meet(self) -> None:
        """Learn who the others are, which is said even when the store is gone."""
        for other in self.others:
            self.processes[other] = json.loads(self.store.get(f"process/{other}"))

    def leave(self, fault: Fault) -> None:
        """Say why this rank leaves; of several, the first is believed."""
        with suppress(RuntimeError):
            self.store.compare_set("fault", "", json.dumps(asdict(fault)))

    def culprit(self, patience: float = GRACE) -> Fault | None:
        """Return who left first or was lost; None when nobody seems to be.

        Args:
            patience: seconds to wait for last words and signs of life.
        """
        until = time.monotonic() + patience
        while True:
            fault = self._said() or self._killed()
            if fault is not None or time.monotonic() >= until:
                return fault
            time.sleep(0.05)

    @contextmanager
    def over(self) -> Iterator[None]:
        """Give signs of life while the block runs; end this process when another gives none."""
        done = threading.Event()
        thread = threading.Thread(target=self._watch, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _watch(self, done: threading.Event) -> None:
        count, before = 0, time.monotonic()
        while not done.wait(BEAT):
            count, now = count + 1, time.monotonic()
            if now - before > SILENCE / 2:
                self.heard.clear()  # this process was stopped for a while itself
            before = now
            self._follow_parent()
            with suppress(RuntimeError):  # the store went with torchrun
                self._say("beat", str(count))
                self._listen(now, done)
        with suppress(RuntimeError):
            self._say("beat", "done")

    def _follow_parent(self) -> None:
        """Stop as if asked to, at a boundary, when torchrun is gone: nobody would stop us later."""
        if os.getppid() != self.parent:
            self.parent = os.getppid()
            os.kill(os.getpid(), signal.SIGTERM)

    def _listen(self, now: float, done: threading.Event) -> None:
        for other in self.others:
            beat = self.store.get(f"beat/{other}")
            last, since = self.heard.get(other, (b"", now))
            self.heard[other] = (beat, since if beat == last else now)
            if beat == last != b"done" and now - since > SILENCE:
                fault = self._lost(other, f"not heard of for {SILENCE:.0f} s")
                self.leave(fault)
                if not done.wait(GRACE):
                    self._end(fault)

    def _end(self, fault: Fault) -> None:
        """End this process at once: its main thread waits for a rank that will not come."""
        if self.speaks(fault):
            os.write(2, f"gradatim: {fault.message}\n".encode())
        os._exit(fault.code)

    def speaks(self, fault: Fault) -> bool:
        """Tell whether this rank is the one that tells the user that another is lost."""
        return self.rank == (1 if fault.rank == 0 else 0)

    def _said(self) -> Fault | None:
        with suppress(RuntimeError):
            if self.store.check(["fault"]):
                fault = Fault(**json.loads(self.store.get("fault")))
                return None if fault.rank == self.rank else fault
        return None

    def _killed(self) -> Fault | None:
        """Look for processes of this machine that are gone without a word."""
        here = _identity(os.getpid())
        for other, process in self.processes.items():
            near = process["machine"] == here["machine"]
            if near and _identity(int(process["process"])) != process and not self._done(other):
                return self._lost(other, "gone: killed, or out of memory")
        return None

    def _done(self, other: int) -> bool:
        with suppress(RuntimeError):
            return bool(self.store.get(f"beat/{other}") == b"done")
        return False

    def _lost(self, other: int, how: str) -> Fault:
        process = self.processes[other]
        message = (
            f"rank {other} (process {process['process']} on {process['host']}) is {how}\n"
            "the others have stopped; the same command goes on from the last checkpoint, also with "
            "fewer ranks"
        )
        return Fault(other, LACK, message, lost=True)

    def _say(self, what: str, text: str) -> None:
        self.store.set(f"{what}/{self.rank}", text)


def _identity(number: int) -> dict[str, str]:
    """Return what tells a living process from a later one, and from those of other machines."""
    found = {"process": str(number), "host": socket.gethostname(), "machine": "", "start": ""}
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # Containers of one machine number their processes each for itself.
        found["machine"] = f"{boot} {Path('/proc/self/ns/pid').readlink()}"
        state, *facts = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        if state not in ("Z", "X"):
            found["start"] = facts[18]
    return found
