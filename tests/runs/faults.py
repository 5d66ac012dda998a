"""Faults of a disk, and processes that die of them: the `os` that `runs/disk.py` sees is replaced.

As a script it is a dock: it imports everything once, in one thread, then forks a child for every
line of JSON it reads. A child that is killed and one that goes on cost well below a second then.
"""

import errno
import importlib.util
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gradatim.core.errors import GradatimError
from gradatim.runs import disk

COUNTED = {"open", "mkdir", "write", "fsync", "replace", "unlink", "rmdir", "ftruncate"}
FULL = {"open", "mkdir", "write"}
# What each fault of a disk hits: a full one still removes, a broken one fails to flush.
HIT = {
    "ENOSPC": FULL,
    "EDQUOT": FULL,
    "EIO": {"fsync"},
    "EROFS": COUNTED - {"fsync"},
    "EACCES": COUNTED - {"fsync"},
}
KILLS = ("before", "middle", "after")


@dataclass(frozen=True)
class Fault:
    """What happens at an operation: a kill before, in the middle of or after it; or, from there on,
    an error of the disk. Number 0 is no fault; `what` has only some operations counted, such as
    "replace .*/checkpoints"; `once` has the disk refuse at that operation alone.
    """

    number: int = 0
    how: str = "before"
    what: str = ""
    once: bool = False


class FaultyOs:
    """`os`, counting the operations that change a disk; one of them meets the fault."""

    def __init__(self, fault: Fault) -> None:
        self.fault, self.log, self.count = fault, list[str](), 0
        self._turn = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return partial(self._call, name, real) if name in COUNTED else real

    def _call(self, name: str, real: Callable[..., Any], *given: Any) -> Any:
        if name == "open" and not given[1] & os.O_CREAT:
            return real(*given)
        fault = self.fault
        with self._turn:
            self.log.append(name)
            meant = bool(re.match(fault.what, f"{name} {given[0]}"))
            self.count += meant
            number = self.count if meant else 0
        if fault.how in HIT:
            over = fault.once and number > fault.number
            if 0 < fault.number <= number and not over and name in HIT[fault.how]:
                code = getattr(errno, fault.how)
                raise OSError(code, os.strerror(code), str(given[0]))
            return real(*given)
        hit = 0 < number == fault.number
        if hit and fault.how == "before":
            _die()
        if hit and fault.how == "middle" and name == "write":
            real(given[0], given[1][: len(given[1]) // 2])
            _die()
        result = real(*given)
        if hit:
            _die()
        return result


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def flip(path: Path, place: int = -1) -> None:
    """Flip one bit of one byte of a file, by default the last."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@dataclass(frozen=True)
class Ended:
    """How a child ended: "done" with a value, "raised" with an error's name and text, "killed"."""

    how: str
    value: Any = None
    code: int = 0
    operations: tuple[str, ...] = ()
    seconds: float = 0.0


class Dock:
    """The parent of children that may be killed."""

    def __init__(self, *files: Path) -> None:
        quiet = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | quiet,
        )

    def __call__(
        self, name: str, *given: Any, fault: Fault | None = None, after: float = 0.0
    ) -> Ended:
        """Call a function of the files in a child; kill it after some seconds, if asked to."""
        asked = {"name": name, "given": given, "after": after, "fault": asdict(fault or Fault())}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the dock is gone"
        return Ended(**json.loads(line))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def _child(function: Callable[..., Any], asked: dict[str, Any], pipe: int) -> None:
    disk.os = FaultyOs(Fault(**asked["fault"]))
    begun = time.monotonic()
    try:
        said = {"how": "done", "value": function(*asked["given"])}
    except Exception as error:
        code = error.exit_code if isinstance(error, GradatimError) else 70
        said = {"how": "raised", "value": f"{type(error).__name__}: {error}", "code": code}
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    said |= {"operations": disk.os.log, "seconds": time.monotonic() - begun}
    os.write(pipe, json.dumps(said).encode())


def _forked(function: Callable[..., Any], asked: dict[str, Any]) -> dict[str, Any]:
    tasks = list(Path("/proc/self/task").iterdir())
    assert len(tasks) == 1, "a process with threads must not fork"
    mouth, pipe = os.pipe()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            _child(function, asked, pipe)
        os._exit(0)
    os.close(pipe)
    if asked["after"] and not select.select([mouth], [], [], asked["after"])[0]:
        os.kill(pid, signal.SIGKILL)
    said = b"".join(iter(lambda: os.read(mouth, 65536), b""))
    os.close(mouth)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return {"how": "killed"}
    return json.loads(said)


def _functions(files: list[str]) -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for file in files:
        spec = importlib.util.spec_from_file_location(Path(file).stem, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        getattr(module, "warm", lambda: None)()
        found |= {k: v for k, v in vars(module).items() if callable(v)}
    return found


def _serve(files: list[str]) -> None:
    answers = os.dup(1)
    os.dup2(2, 1)  # what a child prints is no answer
    functions = _functions(files)
    for line in sys.stdin:
        asked = json.loads(line)
        said = _forked(functions[asked["name"]], asked)
        os.write(answers, (json.dumps(said) + "\n").encode())


if __name__ == "__main__":
    _serve(sys.argv[1:])
