"""Ctrl-C and SIGTERM: raised at once, or, while a fit is under way, at the next step boundary."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = [
    "agreed",
    "asked",
    "check",
    "deaf",
    "heard",
    "jointly",
    "leaving",
    "listening",
    "patiently",
]

NUMBERS = (signal.SIGINT, signal.SIGTERM)

INTERRUPTED = 6  # the exit code

_asked: list[int] = []
_patient: list[bool] = []
_leaving: list[bool] = []
_joint: list[bool] = []
_agreed: list[bool] = []


@contextmanager
def listening() -> Iterator[None]:
    """Turn both signals into KeyboardInterrupt while the block runs."""
    _asked.clear()
    before = {number: signal.signal(number, _note) for number in NUMBERS}
    try:
        yield
    finally:
        _asked.clear()
        for number, handler in before.items():
            if signal.getsignal(number) != signal.SIG_IGN:  # `deaf` is for good
                signal.signal(number, handler)


@contextmanager
def patiently() -> Iterator[None]:
    """Let the first request to stop wait for `check` while the block runs; a second one does not.

    So a step is never cut in two, and what it led to can be saved.
    """
    _patient.append(True)
    try:
        yield
    finally:
        _patient.pop()


@contextmanager
def jointly() -> Iterator[None]:
    """Let `check` raise only after `agreed` while the block runs: all ranks stop at one step.

    A second SIGTERM waits as well then, a second Ctrl-C does not.
    """
    _joint.append(True)
    _agreed.clear()
    try:
        yield
    finally:
        _joint.pop()


def heard() -> bool:
    """Tell whether a request to stop has come to this process."""
    return bool(_asked)


def agreed() -> None:
    """Take note that all ranks stop here, whichever of them was asked to."""
    _agreed.append(True)


def asked() -> bool:
    """Tell whether the user asked to stop; inside `jointly`, whether all ranks know of it."""
    return bool(_agreed if _joint else _asked)


def check() -> None:
    """Raise when the user asked to stop and is still waiting for it.

    An exception that a signal raises inside a callback or a finaliser is printed or lost there.
    """
    if asked() and _leaving:
        os._exit(INTERRUPTED)
    if asked():
        raise KeyboardInterrupt


def deaf() -> None:
    """Ignore both signals from now on: this process is ending, and has to say why."""
    if threading.current_thread() is threading.main_thread():
        for number in NUMBERS:
            signal.signal(number, signal.SIG_IGN)


def _note(number: int, frame: FrameType | None) -> None:
    _asked.append(number)
    # A cluster may send SIGTERM to torchrun, which passes it on, and to the ranks as well.
    again = _asked.count(signal.SIGINT) if _joint else len(_asked)
    if not _patient or again > 1:
        raise KeyboardInterrupt


def leaving() -> None:
    """Make SIGTERM end this process: at once, or, inside `patiently`, by `check`."""
    _leaving.append(True)
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    _asked.append(number)
    if not _patient:
        os._exit(INTERRUPTED)
