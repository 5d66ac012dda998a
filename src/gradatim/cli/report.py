"""`gradatim report`."""

import sys
from pathlib import Path

__all__ = ["report"]


def report(*runs: Path, out: Path | None = None) -> None:
    """Write one HTML page for finished runs.

    Parameters
    ----------
    runs
        One folder or several.
    out
        The page; by default report.html in the first folder.
    """
    from gradatim.core.errors import ConfigError
    from gradatim.session.ask import report as write

    if not runs:
        raise ConfigError("report needs a run folder; see the folder runs/")
    sys.stdout.write(f"Report: {write(runs, out)}\n")
