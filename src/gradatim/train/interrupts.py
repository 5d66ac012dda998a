"""Ctrl-C and SIGTERM: raised at once, or, while a fit is under way, at the next step boundary."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["check", "listening", "patiently"]

_asked: list[int] = []
_patient: list[bool] = []


@contextmanager
def listening() -> Iterator[None]:
    """Turn both signals into KeyboardInterrupt while the block runs."""
    _asked.clear()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, _note) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
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


def check() -> None:
    """Raise when the user asked to stop and is still waiting for it.

    An exception that a signal raises inside a callback or a finaliser is printed or lost there.
    """
    if _asked:
        raise KeyboardInterrupt


def _note(number: int, frame: FrameType | None) -> None:
    _asked.append(number)
    if not _patient or len(_asked) > 1:
        raise KeyboardInterrupt
