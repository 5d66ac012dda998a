"""`track`: the records of a run for TensorBoard or MLflow, at the end or while it goes on."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gradatim.core.errors import ConfigError
from gradatim.runs.files import is_finished
from gradatim.runs.folder import find_run, read_question
from gradatim.runs.loggers import LOGGERS
from gradatim.runs.loggers._tracks import stamp, tracks

__all__ = ["Tracked", "track"]

EVERY = 1.0
"""Seconds between two looks at a run that goes on."""


@dataclass(frozen=True)
class Tracked:
    """What was written: where, of how many fits, how many new records, and how to look at it."""

    place: str
    tracks: int
    records: int
    look: str


def track(
    run: Path | str,
    to: str,
    *,
    out: Path | str | None = None,
    follow: bool = False,
    watch: Callable[[int], None] | None = None,
) -> Tracked:
    """Write the records of a run for another tool; what is there already is not written twice.

    The run folder is read, never changed: what trains knows nothing of it.

    Args:
        run: the folder of a fit, a climb, a race, a search for a rate or an ablation.
        to: "tensorboard" or "mlflow".
        out: a folder for TensorBoard, sqlite:///FILE for MLflow; by default beside the run.
        follow: go on until the run is finished.
        watch: called with the number of new records, whenever there are some.

    Raises:
        ConfigError: there is no such tool, its package is missing, or `out` does not suit it.
        DataError: there is no run.
    """
    logger = LOGGERS[to]
    missing = [name for name in logger.packages if find_spec(name) is None]
    if missing:
        what = f"--to {to} needs the package {missing[0]}, which is not installed"
        raise ConfigError(f'{what}; install it: pip install "gradatim[tracking]"')
    folder = find_run(Path(run))
    read_question(folder)
    # Absolute, because the name of the folder is that of the run, even for `.`
    writer = logger.opened(folder.absolute(), None if out is None else str(out))
    seen: object = None
    count = records = 0
    while True:
        done = is_finished(folder)  # before reading: what comes in between is read in the next turn
        now = stamp(folder)
        if now != seen:
            new = [writer.write(each) for each in tracks(folder)]
            added = sum(new)
            count, records, seen = len(new), records + added, now
            if watch is not None and added:
                watch(added)
        if done or not follow:
            return Tracked(writer.place, count, records, logger.look.format(place=writer.place))
        time.sleep(EVERY)
