"""How a worker process behaves: one thread, deaf to Ctrl-C, gone when its parent is."""

import os
import signal
import threading
import time

import torch

from gradatim.train.interrupts import leaving

__all__ = ["behave"]


def behave() -> None:
    """Make this process a good worker; asked to go by SIGTERM, it lets its fit save first.

    Dask calls from a thread that is not the main one: there its nanny looks after the process.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    mine = threading.current_thread() is threading.main_thread()
    if mine and os.environ.get("GRADATIM_WORKER") != str(os.getpid()):
        os.environ["GRADATIM_WORKER"] = str(os.getpid())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        leaving()
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
