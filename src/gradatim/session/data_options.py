"""Keywords that several verbs share: which data is meant, how it is read, how fits are compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from math import inf
from typing import Any, Literal, Self, TypedDict, get_args

from gradatim.compare.clusters.hire import check_place
from gradatim.core.errors import nearest
from gradatim.core.jobs import Job
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions
from gradatim.session.budgets import Budgets
from gradatim.session.objects import check_numbers, open_data

__all__ = ["Chosen", "CompareOptions", "DataOptions", "LookOptions"]

READING = (
    *("target", "group", "time", "task", "encoding", "missing"),
    *("names", "sigma", "noisy_targets", "source_language", "target_language"),
)
"""Of the options, what is said of reading."""


class LookOptions(TypedDict, total=False):
    """Keywords of `inspect`, and of every verb that reads data to learn from."""

    task: Job | None
    """What is to be done, where the data alone does not say."""
    group: str | None
    """Column whose equal rows stay on one side of every split."""
    time: str | None
    """Column that orders rows; the future never teaches the past."""
    rows: int | None
    """Draw this many of the rows to learn from, at least 10; all by default."""
    encoding: str | None
    """Of text files, when it is not UTF-8."""
    names: str | None
    """Pattern of file names that says what they hold, such as "{label}_{speaker}_{index}.wav"."""
    sigma: float | None
    """Standard deviation of the noise that is added to clean pictures, in levels of 0 to 255."""
    noisy_targets: bool
    """Learn from targets that are noisy too (Noise2Noise)."""
    source_language: str | None
    """Code of the language to translate from, such as fr, where the data has more than one."""
    target_language: str | None
    """Code of the language to translate to."""


class DataOptions(LookOptions, total=False):
    """Keywords of `fit`, and of every verb that fits something."""

    metric: str | None
    """That decides, and that `evaluate` will use; the task has a sensible default."""
    drop: Sequence[str]
    """Columns to leave out."""
    allow_leak: bool
    """Go on although a feature gives the target away."""
    missing: Literal["impute", "error"]
    """What to do with missing cells: fill them from the training rows, or refuse them."""
    minutes: float | None
    """Time for all of it; what would not fit in is named, and a fit is ended with what it has."""
    memory: float | None
    """Gigabytes that may be used; by default 95 % of what is free."""
    disk: float | None
    """Gigabytes that the run folder may take."""


class CompareOptions(DataOptions, total=False):
    """Keywords of `climb`, `race`, `rates` and `ablate`, which compare on the same folds."""

    folds: int
    """Of the cross-validation, at least 2; 5 by default."""
    repeats: int
    """How often the folds are drawn anew; 1 by default."""
    rope: float | None
    """Difference of the metric that means nothing in practice; see `leaderboard.collect`."""
    on: str
    """Who fits: "here", "ray", "dask", "ray://HOST:PORT" or "tcp://HOST:PORT"; see `hired`."""


@dataclass(frozen=True)
class Chosen:
    """What was chosen of the options, with the defaults of the others."""

    target: str | None = None
    task: Job | None = None
    group: str | None = None
    time: str | None = None
    rows: int | None = None
    encoding: str | None = None
    names: str | None = None
    sigma: float | None = None
    noisy_targets: bool = False
    source_language: str | None = None
    target_language: str | None = None
    metric: str | None = None
    drop: Sequence[str] = ()
    allow_leak: bool = False
    missing: Literal["impute", "error"] = "impute"
    minutes: float | None = None
    memory: float | None = None
    disk: float | None = None
    folds: int = 5
    repeats: int = 1
    rope: float | None = None
    on: str = "here"

    @classmethod
    def of(cls, verb: Callable[..., Any], target: str | None, options: Mapping[str, Any]) -> Self:
        """Return what a verb was told.

        Args:
            verb: the function that was called; its `**options` say which keywords there are.
            target: the column to predict.
            options: the keywords it was given.

        Raises:
            TypeError: the verb has no such keyword; the message names the nearest.
        """
        named = dict(signature(verb).parameters)
        keys = get_args(named.pop("options").annotation)[0].__annotations__
        for name in options:
            if name not in keys:
                text = f'{verb.__name__}() has no keyword "{name}"'
                raise TypeError(f"{text}; {nearest(name, [*named, *keys])}")
        return cls(target, **options)

    def check(self, seed: int = 0) -> None:
        """Look at the numbers, and at the place, before any work starts.

        Raises:
            ConfigError: naming every number that is out of range, or an unknown place.
        """
        names = ("folds", "repeats", "minutes", "memory", "disk", "rows", "rope")
        check_numbers(**{name: getattr(self, name) for name in names}, seed=seed)
        check_place(self.on)

    @property
    def reading(self) -> ReadOptions:
        """How the data is read."""
        return ReadOptions(**{name: getattr(self, name) for name in READING})

    def deadline(self, begun: float) -> float:
        """Return when the time for the fits is over, on the clock that said `begun`."""
        return inf if self.minutes is None else begun + 60 * self.minutes

    @property
    def budgets(self) -> Budgets:
        """What may be used besides time."""
        return Budgets(self.memory, self.disk)

    def open(self, data: Any) -> Dataset:
        """Read the data, as `open_data` does."""
        return open_data(data, self.reading, self.drop, rows=self.rows, allow_leak=self.allow_leak)

    def question(self) -> dict[str, Any]:
        """Return what a run's question says about the reading of data."""
        return {
            "options": self.reading.as_dict(),
            "drop": list(self.drop),
            "rows": self.rows,
            "allow_leak": self.allow_leak,
        }
