"""What a streamed climb stands on: a table that was looked over, its parts, its job, its metric."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradatim.compare.climb import Event
from gradatim.compare.totals import Totals, reading, sum_up
from gradatim.core.errors import ConfigError, DataError
from gradatim.core.metric import Metric
from gradatim.core.samples import Samples
from gradatim.core.task import Task
from gradatim.data.streams.drawn import parquet_of
from gradatim.data.streams.membership import Membership
from gradatim.data.streams.parquet import Stream, open_stream
from gradatim.data.streams.survey import Survey, survey
from gradatim.session.data_options import Chosen
from gradatim.session.objects import task_for

__all__ = ["StreamedGround", "open_stream_of"]

Watch = Callable[[Event], None]
NEEDS_RANKS = ("mae", "auc")
"""Metrics that are no function of sums."""
FEWEST = 1000
"""Rows below which a hash of their numbers deals them out too unevenly."""


@dataclass(frozen=True)
class StreamedGround:
    """A table that was looked over, with its parts, its job and its metric."""

    stream: Stream
    survey: Survey
    membership: Membership
    task: Task
    metric: Metric
    source: str

    @property
    def name(self) -> str:
        """Return a short name for people."""
        return self.stream.path.resolve().name.partition(".")[0]

    def totals(self, watch: Watch) -> Totals:
        """Read the table and add up what its parts teach."""
        say = reading("adding up", self.stream.rows, watch)
        return sum_up(self.stream, self.survey, self.membership, say)


def open_stream_of(data: Any, chosen: Chosen, seed: int, watch: Watch) -> StreamedGround:
    """Look a table over in one pass.

    Args:
        data: as for `climb`; a Parquet file.
        chosen: how it is read and compared.
        seed: of the parts.
        watch: called with everything that happens.

    Raises:
        ConfigError: something is asked for that sums cannot give.
        DataError: cells that cannot be used, or too few rows.
    """
    path = parquet_of(data)
    if path is None:
        raise ConfigError("--stream reads Parquet files only; write the table as .parquet")
    for flag in ("--group", "--time", "--rows"):
        if getattr(chosen, flag[2:]) is not None:
            raise ConfigError(f"{flag} needs all rows in memory; leave out {flag} or --stream")
    stream = open_stream(path)
    if stream.rows < FEWEST:
        trouble = f"{path} has {stream.rows} rows; a streamed climb needs {FEWEST}"
        raise DataError(f"{trouble}: leave out --stream")
    say = reading("looking over", stream.rows, watch)
    found = survey(stream, chosen.reading, chosen.drop, say)
    task = task_for(found.signature)
    membership = Membership(stream.rows, seed, chosen.folds, chosen.repeats)
    return StreamedGround(
        stream, found, membership, task, _metric(task, chosen.metric, found), str(data)
    )


def _metric(task: Task, name: str | None, found: Survey) -> Metric:
    if name in NEEDS_RANKS:
        hint = ", ".join(n for n in task.metrics if n not in NEEDS_RANKS)
        raise ConfigError(f"{name} needs all rows in memory: use --rows N, or --metric of {hint}")
    if name is not None and name not in task.metrics:
        raise ConfigError(f'{task.name} has no metric "{name}"; known: {", ".join(task.metrics)}')
    answers = found.answers()
    return task.metrics[name or task.default_metric(Samples(answers, answers))]
