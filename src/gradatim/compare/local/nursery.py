"""The process that workers are forked from: it imports what they need, computes nothing itself.

So torch and scikit-learn are imported once instead of once a worker, while the climb still reads
its data. It has one thread, which is what makes forking safe: its libraries are told to start no
others, and no operation of theirs is called here. It goes when the process that began it goes.
"""

import os
import select
import signal
import socket
from contextlib import suppress
from importlib import import_module

from gradatim.compare.local.line import Line

__all__ = ["main"]

NEEDED = ("gradatim.compare.climb", "gradatim.compare.final")
"""What every worker calls."""
LIKELY = ("sklearn.svm", "sklearn.ensemble")
"""What many rungs import when they are solved: imported here while nothing else is to be done."""
LOOK = 0.5
"""Seconds between two looks at whether the parent is still there."""


def main(number: int) -> None:
    """Fork a worker for each descriptor that comes, until the other end is closed.

    Args:
        number: of a Unix socket. Each byte that comes through it brings the descriptor of the
            socket of a worker, and is answered with the worker's process id in a line of text.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how workers ended
    parent, orders = os.getppid(), socket.socket(fileno=number)
    for name in NEEDED:
        import_module(name)
    likely = list(LIKELY)
    while os.getppid() == parent:
        if not select.select([orders], [], [], 0 if likely else LOOK)[0]:
            if likely:
                with suppress(ImportError):
                    import_module(likely.pop(0))
            continue
        order, descriptors, _, _ = socket.recv_fds(orders, 1, 1)
        if not order:
            break
        _fork(orders, descriptors[0])
    os._exit(0)


def _fork(orders: socket.socket, descriptor: int) -> None:
    worker = os.fork()
    if worker == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        orders.close()
        try:
            _serve(Line(socket.socket(fileno=descriptor)))
        finally:
            os._exit(1)
    os.close(descriptor)
    orders.sendall(f"{worker}\n".encode())


def _serve(line: Line) -> None:
    """Answer calls until the other end is closed."""
    from gradatim.compare.worker import behave

    behave()
    while True:
        try:
            call = line.hear()
            if call is None:
                os._exit(0)
            function, given, named = call
            said = True, function(*given, **named)
        except Exception as error:  # noqa: BLE001  it is raised where the call came from
            said = False, error
        try:
            line.say(said)
        except (TypeError, AttributeError):  # an error that cannot travel is told in words
            line.say((False, RuntimeError(f"{type(said[1]).__name__}: {said[1]}")))
