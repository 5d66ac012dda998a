"""What goes between a climb and a worker: calls and results; large arrays through shared memory."""

import mmap
import os
import socket
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

__all__ = ["LARGE", "Line", "Memory"]

LARGE = 2**20
"""Bytes from which on an array is not copied for every call."""
MOST = 16
"""Arrays that travel with one call, at the most."""


class Stand:
    """Where an array belongs that travels beside a call: its place among the descriptors."""

    def __init__(self, place: int, array: np.ndarray) -> None:
        self.place, self.dtype, self.shape = place, array.dtype, array.shape


class Memory:
    """Arrays that were put into shared memory: each once, however many calls it travels with.

    The memory has no name in any file system: it is gone with the last process that holds it.
    """

    def __init__(self) -> None:
        self.kept: dict[int, tuple[np.ndarray, int]] = {}  # the array too, so that its id stays its

    def descriptor(self, array: np.ndarray) -> int:
        """Return the number of the file that holds the array."""
        if id(array) not in self.kept:
            number = os.memfd_create("rows")
            os.ftruncate(number, array.nbytes)
            with mmap.mmap(number, array.nbytes) as place:
                np.frombuffer(place, array.dtype).reshape(array.shape)[...] = array
            self.kept[id(array)] = array, number
        return self.kept[id(array)][1]

    def close(self) -> None:
        """Give the memory back; workers that still read it keep it."""
        for _, number in self.kept.values():
            os.close(number)
        self.kept.clear()


class Line:
    """One end of a line to another process of ours.

    Args:
        end: a Unix socket.
    """

    def __init__(self, end: socket.socket) -> None:
        self.end, self.frames = end, Connection(os.dup(end.fileno()))

    def fileno(self) -> int:
        """Return the number of the socket, for waiting."""
        return self.end.fileno()

    def close(self) -> None:
        """Hang up."""
        self.frames.close()
        self.end.close()

    def say(self, what: Any, memory: Memory | None = None) -> None:
        """Send something that the other side can unpack.

        Args:
            what: a call or a result.
            memory: where large arrays are put that stand in a dict among a call's arguments.
        """
        from joblib.externals.loky.backend.reduction import dumps

        beside: list[np.ndarray] = []
        if memory is not None:
            function, given, named = what
            what = function, tuple(_lightened(value, beside) for value in given), named
        self.frames.send_bytes(dumps((what, len(beside))))
        if memory is not None and beside:
            socket.send_fds(self.end, [b"+"], [memory.descriptor(array) for array in beside])

    def hear(self) -> Any:
        """Return what was said; None when the other side has hung up."""
        try:
            what, beside = ForkingPickler.loads(self.frames.recv_bytes())
            if beside:
                _, numbers, _, _ = socket.recv_fds(self.end, 1, beside)
                function, given, named = what
                what = function, tuple(_filled(value, numbers) for value in given), named
                for number in numbers:
                    os.close(number)
        except (EOFError, OSError):
            return None
        return what


def _lightened(value: Any, beside: list[np.ndarray]) -> Any:
    """Return a dict of arrays with stands for those that are large."""
    if type(value) is not dict:
        return value
    light = dict(value)
    for name, array in value.items():
        if isinstance(array, np.ndarray) and array.nbytes >= LARGE and len(beside) < MOST:
            light[name] = Stand(len(beside), array)
            beside.append(array)
    return light


def _filled(value: Any, numbers: list[int]) -> Any:
    if type(value) is not dict:
        return value
    return {name: _array(each, numbers) for name, each in value.items()}


def _array(value: Any, numbers: list[int]) -> Any:
    if not isinstance(value, Stand):
        return value
    size = int(np.prod(value.shape)) * value.dtype.itemsize
    place = mmap.mmap(numbers[value.place], size, prot=mmap.PROT_READ)
    return np.frombuffer(place, value.dtype).reshape(value.shape)
