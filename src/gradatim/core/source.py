"""`Source`: reads one kind of data into a `Dataset`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from gradatim.core.jobs import JOBS, Job
from gradatim.core.samples import Dataset
from gradatim.core.signature import Signature

__all__ = ["ReadOptions", "Source"]


@dataclass(frozen=True)
class ReadOptions:
    """How data is to be read.

    `target`, `group` and `time` are column names. With a `signature` (of a fitted model) cells,
    class names and picture sizes are coded as that signature says instead of being learnt, a
    missing target column is allowed (`targets` then has no rows' worth of numbers: length 0), and
    values the signature does not know are counted in a finding.

    `names` is a pattern of file names, such as "{label}_{speaker}.wav". `sigma` is the deviation
    of the noise that is added to clean pictures; with `noisy_targets` a network never sees them
    clean. `source_language` and `target_language` are codes, such as fr and en. `judged` says that
    the answers of a model are to be compared with targets. `rows_alone` says that no column has to
    be named as target, and pictures need no classes.
    """

    target: str | None = None
    group: str | None = None
    time: str | None = None
    task: Job | None = None
    encoding: str | None = None
    missing: Literal["impute", "error"] = "impute"
    names: str | None = None
    sigma: float | None = None
    noisy_targets: bool = False
    source_language: str | None = None
    target_language: str | None = None
    signature: Signature | None = None
    judged: bool = False
    rows_alone: bool = False

    @property
    def job(self) -> Job | None:
        """The job that is asked for, or the one that the model does; None when data decides."""
        if self.rows_alone:
            return None
        if self.signature is not None:
            return JOBS[self.signature.output.kind]
        return self.task

    def as_dict(self) -> dict[str, Any]:
        """Return what a user may set, for the run's question."""
        usual = ReadOptions()
        always = ("target", "group", "time", "task", "encoding", "missing")
        rare = ("names", "sigma", "noisy_targets", "source_language", "target_language")
        later = [name for name in rare if getattr(self, name) != getattr(usual, name)]
        return {name: getattr(self, name) for name in (*always, *later)}


class Source(ABC):
    """Reads one kind of data. One file in `data/sources`; the file's name is the `kind:` prefix."""

    summary: ClassVar[str]
    """One line for `gradatim list sources`."""

    @abstractmethod
    def claims(self, location: str, options: ReadOptions) -> bool:
        """Tell whether a location without a `kind:` prefix is for this source."""

    @abstractmethod
    def read(self, location: str, options: ReadOptions) -> Dataset:
        """Read everything into memory, or refuse.

        Raises:
            DataError: naming file, row or column, and a remedy.
        """
