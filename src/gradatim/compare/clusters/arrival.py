"""Workers on other machines write into the run folder: what they wrote must be seen here."""

import time
from pathlib import Path

from gradatim.core.errors import ResourceError

__all__ = ["arrived"]

PATIENCE = 60.0
"""Seconds that a network file system may go on saying that a new file is not there."""


def arrived(path: Path) -> None:
    """Wait until a file that a worker has written is seen from this machine.

    Raises:
        ResourceError: it never is, so the run folder is not shared with the workers.
    """
    end = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > end:
            raise ResourceError(
                f"a worker has written {path}, and it is not there on this machine; the run folder "
                "must be on a file system that all workers share: choose --out on one"
            )
        time.sleep(0.1)
