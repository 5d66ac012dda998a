"""MLflow: a store in an SQLite file, one MLflow run a fit.

Source: MLflow 3.17, "MlflowClient", "log_batch".
Deviations: the times of points are those of the fit, not those of the writing.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from gradatim.core.errors import ConfigError, ResourceError
from gradatim.runs import disk
from gradatim.runs.loggers._logger import Logger
from gradatim.runs.loggers._tracks import Plain, Point, Track, identity

__all__ = ["LOGGER", "Mlflow"]

SQLITE = "sqlite:///"
RUN, TRACK, COUNT = "gradatim.run", "gradatim.track", "gradatim.records"
MOST = 1000, 100
"""Metrics, and parameters, that a store takes at once."""


class Mlflow(Logger):
    """Runs in the experiment that is called like the run folder.

    A tag of every MLflow run counts the records that it has, and MLflow itself drops a point that
    it has already; so nothing is there twice, wherever the writing was cut off.

    Args:
        client: of the store.
        experiment: its number there.
        mark: what tells the run from others of the same name.
        place: of the store.
    """

    summary: ClassVar[str] = "an SQLite store for MLflow"
    packages: ClassVar[tuple[str, ...]] = ("mlflow", "sqlalchemy", "alembic")
    look: ClassVar[str] = "mlflow ui --backend-store-uri {place}"

    def __init__(self, client: Any, experiment: str, mark: str, place: str) -> None:
        self.client, self.experiment, self.mark, self.place = client, experiment, mark, place
        query = f"tags.`{RUN}` = '{mark}'"
        found = list(_found(client, experiment, query))
        self.runs: dict[str, str] = {run.data.tags[TRACK]: run.info.run_id for run in found}
        self.counts = {run.data.tags[TRACK]: int(run.data.tags.get(COUNT, 0)) for run in found}
        self.ended = {run.data.tags[TRACK] for run in found if run.info.status != "RUNNING"}

    @classmethod
    def opened(cls, run: Path, out: str | None) -> Self:
        """Take the store `out`, sqlite:///FILE; by default `mlflow.db` beside the run."""
        if out is not None and (not out.startswith(SQLITE) or len(out) == len(SQLITE)):
            raise ConfigError(f"--out {out}: mlflow writes into an SQLite file; write {SQLITE}FILE")
        path = Path(out.removeprefix(SQLITE)) if out else run.parent / "mlflow.db"
        path = path.absolute()
        disk.make_folder(path.parent)
        client = _client(path)
        known = client.get_experiment_by_name(run.name)
        artifacts = path.with_name("mlflow-artifacts").as_uri()  # where others may put some
        number = known.experiment_id if known else client.create_experiment(run.name, artifacts)
        return cls(client, str(number), identity(run), f"{SQLITE}{path}")

    def write(self, track: Track) -> int:
        """Log the records that the store has not, and the end when there is one."""
        if track.name in self.ended:
            return 0
        number = self.runs.get(track.name) or self._begin(track)
        known = self.counts.get(track.name, 0)
        self._metrics(number, track, known)
        # A fit that goes on from a checkpoint takes records back, and then repeats them.
        self.counts[track.name] = max(known, len(track.points))
        self.client.set_tag(number, COUNT, str(self.counts[track.name]))
        if track.finished:
            self._end(number, track)
        return max(0, len(track.points) - known)

    def _begin(self, track: Track) -> str:
        tags = {RUN: self.mark, TRACK: track.name}
        tags |= {f"gradatim.{name}": value for name, value in track.tags.items()}
        made = self.client.create_run(
            self.experiment, start_time=_milliseconds(track, 0), tags=tags, run_name=track.name
        )
        self.runs[track.name] = number = str(made.info.run_id)
        self._settings(number, track.settings)
        return number

    def _settings(self, number: str, settings: Mapping[str, Plain]) -> None:
        from mlflow.entities import Param

        told = [Param(name, str(value)) for name, value in settings.items()]
        for part in _parts(told, MOST[1]):
            self.client.log_batch(number, params=part)

    def _metrics(self, number: str, track: Track, known: int) -> None:
        from mlflow.entities import Metric

        metrics = [
            Metric(name, value, _milliseconds(track, point.seconds), point.step)
            for point in track.points[known:]
            for name, value in point.values.items()
        ]
        for part in _parts(metrics, MOST[0]):
            self.client.log_batch(number, metrics=part)

    def _end(self, number: str, track: Track) -> None:
        from mlflow.entities import Metric

        last = track.points[-1] if track.points else Point(0, 0.0, {})
        step, moment = last.step, _milliseconds(track, last.seconds)
        scores = [Metric(f"scores/{k}", v, moment, step) for k, v in track.scores.items()]
        self.client.log_batch(number, metrics=scores)
        # The rung of the final fit, and with it its settings, is known when the climb is over.
        self._settings(number, track.settings)
        if track.failed:
            self.client.set_tag(number, "gradatim.failed", track.failed)
        self.client.set_terminated(number, "FAILED" if track.failed else "FINISHED", moment)
        self.ended.add(track.name)


LOGGER = Mlflow


def _client(path: Path) -> Any:
    """Open a store, made when it is not there."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing is reported to anybody
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient
    from sqlalchemy.exc import SQLAlchemyError

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        client = MlflowClient(tracking_uri=f"{SQLITE}{path}")
        client.search_experiments(max_results=1)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise ResourceError(f"cannot use {path}: {reason}; name another file with --out") from error
    return client


def _found(client: Any, experiment: str, query: str) -> Iterator[Any]:
    """Yield all runs that a query finds, page by page."""
    token = None
    while True:
        page = client.search_runs([experiment], query, max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _milliseconds(track: Track, seconds: float) -> int:
    return round(1000 * (track.begun + seconds))
