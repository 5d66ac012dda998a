"""Ctrl-C and SIGTERM: raised at once, and again at the next event when a library swallowed them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["check", "listening"]

_asked: list[int] = []


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


def check() -> None:
    """Raise when the user asked to stop and is still waiting for it.

    An exception that a signal raises inside a callback or a finaliser is printed or lost there.
    """
    if _asked:
        raise KeyboardInterrupt


def _note(number: int, frame: FrameType | None) -> None:
    _asked.append(number)
    raise KeyboardInterrupt
