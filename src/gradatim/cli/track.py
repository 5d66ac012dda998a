"""`gradatim track`."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gradatim.cli.options import Flag, inert

__all__ = ["track"]


def track(
    run: Path,
    /,
    *,
    to: Annotated[str, Parameter(name="--to")],
    out: str | None = None,
    follow: Flag = False,
) -> None:
    """Write a run's records for TensorBoard or MLflow, each point once, however often it is asked.

    Parameters
    ----------
    run
        Its folder; finished or not.
    to
        tensorboard or mlflow.
    out
        A folder for TensorBoard, sqlite:///FILE for MLflow; by default tensorboard/ or mlflow.db
        beside the run.
    follow
        Go on until the run is finished.
    """
    from gradatim.session.track import track as write

    def told(new: int) -> None:
        if follow:
            sys.stderr.write(f"{new} new records\n")

    result = write(run, to, out=out, follow=follow, watch=told)
    text = f"{result.tracks} fits, {result.records} new records in {result.place}"
    sys.stdout.write(inert(f"{text}\nNext: {result.look}\n"))
