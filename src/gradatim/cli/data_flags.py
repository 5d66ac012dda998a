"""Flags that several commands share: which data is meant, how it is read, how fits are compared.

The text under a field is its help; a command says otherwise by documenting `flags.NAME`.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from gradatim.cli.options import Flag, Whole, Words
from gradatim.core.jobs import Job

__all__ = ["COMPARE", "DATA", "LOOK", "CompareFlags", "DataFlags", "LookFlags"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class LookFlags:
    """Flags of inspect, and of every command that reads data to learn from."""

    target: str | None = None
    """Column to predict."""
    task: Job | None = None
    """What is to be done, where the data alone does not say."""
    group: str | None = None
    """Column whose equal rows stay on one side of every split."""
    time: str | None = None
    """Column that orders the rows; the future never teaches the past."""
    rows: Whole | None = None
    """Draw this many of the rows to learn from; all by default."""
    encoding: str | None = None
    """Of a text file that is not UTF-8, such as cp1252."""
    names: str | None = None
    """Pattern of file names, such as `{label}_{speaker}_{index}.wav`; then --group speaker."""
    sigma: float | None = None
    """With --task denoise: deviation of the noise that is added to clean pictures (0 to 255)."""
    source_language: Annotated[str | None, Parameter(name="--from")] = None
    """With sentence pairs: language to translate from, such as fr."""
    target_language: Annotated[str | None, Parameter(name="--to")] = None
    """With sentence pairs: language to translate to, such as en."""
    noisy_targets: Flag = False
    """With --task denoise: learn from noisy targets, never from clean ones."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class DataFlags(LookFlags):
    """Flags of fit, and of every command that fits something."""

    metric: str | None = None
    """That decides, such as accuracy, rmse, psnr, miou or ap; the job has a sensible default."""
    drop: Words = ()
    """Column to leave out; may be repeated."""
    allow_leak: Flag = False
    """Go on although one feature gives the target away."""
    missing: Literal["impute", "error"] = "impute"
    """Fill missing cells from the training rows, or refuse them."""
    minutes: float | None = None
    """Time for all of it; what would not fit in is listed, and a fit ends with what it has."""
    memory: float | None = None
    """Gigabytes that may be used; by default 95 % of what is free."""
    disk: float | None = None
    """Gigabytes that the run folder may take."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class CompareFlags(DataFlags):
    """Flags of climb, race, rates and ablate, which compare on the same folds."""

    folds: Whole = 5
    """Parts of the cross-validation."""
    repeats: Whole = 1
    """How often the folds are drawn anew."""
    rope: float | None = None
    """A difference of the metric that means nothing in practice."""
    on: str = "here"
    """Who fits: processes here, ray, dask, or a cluster: ray://HOST:PORT, tcp://HOST:PORT."""


# What the flags are when none is given: defaults of commands, which must be made only once.
LOOK, DATA, COMPARE = LookFlags(), DataFlags(), CompareFlags()
