"""Data without right answers, for density and synthesis: read as labelled data is, then freed."""

from dataclasses import replace

from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions

__all__ = ["UNLABELLED", "as_labelled", "without_targets"]

UNLABELLED = ("density", "synthesise")
"""Jobs that have no right answers."""


def as_labelled(options: ReadOptions) -> ReadOptions:
    """Return how a source is to read data of which the rows alone are wanted."""
    return replace(options, task=None)


def without_targets(dataset: Dataset, options: ReadOptions) -> Dataset:
    """Return the rows alone, with what the job asks for in place of targets."""
    raise NotImplementedError
