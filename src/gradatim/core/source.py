"""`Source`: reads one kind of data into a `Dataset`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

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
    """

    target: str | None = None
    group: str | None = None
    time: str | None = None
    task: Literal["classify", "regress"] | None = None
    encoding: str | None = None
    missing: Literal["impute", "error"] = "impute"
    signature: Signature | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what a user may set, for the run's question."""
        names = ("target", "group", "time", "task", "encoding", "missing")
        return {name: getattr(self, name) for name in names}


class Source(ABC):
    """Reads one kind of data. One file in `data/sources`; the file's name is the `kind:` prefix."""

    summary: ClassVar[str]
    """One line for `gradatim list sources`."""

    @abstractmethod
    def claims(self, location: str) -> bool:
        """Tell whether a location without a `kind:` prefix is for this source."""

    @abstractmethod
    def read(self, location: str, options: ReadOptions) -> Dataset:
        """Read everything into memory, or refuse.

        Raises:
            DataError: naming file, row or column, and a remedy.
        """
