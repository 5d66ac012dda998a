"""C files of this package, compiled by the system's compiler when they are first needed.

The machine code is kept in a folder of the user, under a name that says from what, by what and for
which processor it was made. Where there is no compiler, or no safe place for what it makes, there
is no machine code, and the caller takes the way that every machine has.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from gradatim.ops.shortcuts import closed

__all__ = ["WRONG", "MachineCode", "Unavailable", "library"]

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-O3", "-march=native", "-std=gnu11", "-D_GNU_SOURCE", "-fPIC", "-shared", "-pthread")
LIBRARIES = ("-lm", "-ldl")
HEADERS = Path(__file__).parent
SECONDS = 60


WRONG = "the compiled code does not compute what torch does"


class Unavailable(Exception):
    """Why there is no machine code here."""


class MachineCode:
    """What one C file compiles to: made when first needed, then tried, and kept.

    Args:
        source: the C file.
        declare: tells ctypes what the code takes, which would cut pointers to 32 bits.
        fault: tries the code on a small example and says what is wrong, for a compiler may have
            its faults; None where nothing is.
    """

    def __init__(
        self,
        source: Path,
        declare: Callable[[ctypes.CDLL], None],
        fault: Callable[[ctypes.CDLL], str | None],
    ) -> None:
        self.source, self.declare, self.fault = source, declare, fault
        self._code: ctypes.CDLL | None = None
        self._obstacle: str | None = None
        self._tried = False

    def obstacle(self) -> str | None:
        """Return why the code is not used, or None; the first call compiles it."""
        if closed():
            return "GRADATIM_FUSED=0 switches it off"
        if not self._tried:
            self._obstacle, self._tried = self._trial(), True
        return self._obstacle

    @property
    def code(self) -> ctypes.CDLL:
        """The code; `obstacle` knows of none."""
        if self._code is None:
            self.obstacle()
        assert self._code is not None, self._obstacle
        return self._code

    def compiled(self) -> ctypes.CDLL:
        """Return the code of the file as it is now, untried.

        Raises:
            Unavailable: see `library`.
        """
        code = library(self.source)
        self.declare(code)
        return code

    def forget(self) -> None:
        """Compile and try again when it is needed next."""
        self._code, self._obstacle, self._tried = None, None, False

    def _trial(self) -> str | None:
        try:
            self._code = self.compiled()
        except Unavailable as error:
            return str(error)
        return self.fault(self._code)


def library(source: Path) -> ctypes.CDLL:
    """Return the machine code of a C file, compiled unless that was done before.

    Processes may compile at the same time: each writes a file of its own and renames it.

    Args:
        source: the C file.

    Raises:
        Unavailable: there is no compiler, it refuses, or the user's cache cannot be written to or
            trusted.
    """
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None or not hasattr(os, "getuid"):
        raise Unavailable("there is no C compiler")
    try:
        target = _folder() / f"{source.stem}-{_fingerprint(source, compiler)}.so"
        try:
            return _opened(target)
        except OSError:  # not there yet, or not whole
            _compile(compiler, source, target)
            return _opened(target)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise Unavailable(f"{type(error).__name__}: {error}") from error


def _folder() -> Path:
    """Return the folder for machine code, made when it is missing, for the user alone."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    folder = (cache if cache.is_absolute() else Path.home() / ".cache") / "gradatim"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _trust(folder)
    return folder


def _opened(target: Path) -> ctypes.CDLL:
    _trust(target)
    return ctypes.CDLL(str(target))


def _trust(path: Path) -> None:
    """Refuse what another user owns or may change: what lies there is going to be run.

    Raises:
        PermissionError: it is not the user's alone.
    """
    about = path.lstat()
    if about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{path} belongs to somebody else, or others may write to it")


def _fingerprint(source: Path, compiler: str) -> str:
    """Return a name for what these compile to, on this processor."""
    asked = [compiler, "--version"]
    version = subprocess.run(asked, capture_output=True, check=True, timeout=SECONDS).stdout
    read = [source, *sorted(HEADERS.glob("*.h"))]
    flags = " ".join((*FLAGS, *LIBRARIES)).encode()
    parts = [*(path.read_bytes() for path in read), flags, version, _processor().encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]


def _processor() -> str:
    """Return what tells processors apart: several machines may share a home folder."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    told = {line for line in lines if line.startswith(("model name", "flags", "Features", "CPU "))}
    return "\n".join([platform.machine(), platform.processor(), *sorted(told)])


def _compile(compiler: str, source: Path, target: Path) -> None:
    handle, name = tempfile.mkstemp(suffix=".tmp", prefix=target.stem, dir=target.parent)
    os.close(handle)
    made = Path(name)
    try:
        include = f"-I{HEADERS}"
        command = [compiler, *FLAGS, include, "-o", name, str(source), *LIBRARIES]
        subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
        made.chmod(0o700)
        with made.open("rb") as file:
            os.fsync(file.fileno())  # a name stands for a whole file, after a power cut too
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)
