"""A text cut into passages, and passages gathered into sections."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int64

__all__ = ["LENGTH", "SEALED", "Cut", "cut"]

LENGTH = 256
"""Characters of a passage."""
SEALED = 0.1
"""Share of the text, its end, that is kept for the test."""
SECTIONS = 40
"""Into which either part of one file is cut at most."""


@dataclass(frozen=True)
class Cut:
    """Where passages begin and end, which are sealed, and the section of each."""

    starts: Int64[np.ndarray, " rows"]
    ends: Int64[np.ndarray, " rows"]
    sealed: Bool[np.ndarray, " rows"]
    sections: Int64[np.ndarray, " rows"]


def cut(files: Sequence[int], length: int = LENGTH, share: float = SEALED) -> Cut:
    """Cut a text into passages of equal length; a file, and the test part, begin with a new one.

    Passages that follow one another make a section. A section keeps to one file and to one part:
    blocks of a text depend on one another, and whole sections go to one side of a split.

    Args:
        files: characters of each file, in order.
        length: characters of a passage.
        share: of all characters, which the last passages have exactly, rounded up.

    >>> parts = cut([10, 10], length=4, share=0.1)
    >>> list(zip(parts.starts.tolist(), parts.ends.tolist(), parts.sealed.tolist()))[2:5]
    [(8, 10, False), (10, 14, False), (14, 18, False)]
    >>> parts.starts[parts.sealed].tolist()
    [18]
    """
    last = sum(files)
    border = int(last * (1 - share)) if share else last
    edges = np.unique([0, *np.cumsum(files), border])
    stretches = [np.arange(first, end, length) for first, end in pairwise(edges)]
    starts = np.concatenate(stretches)
    sealed = starts >= border
    return Cut(starts, np.append(starts[1:], last), sealed, _sections(stretches, sealed))


def _sections(stretches: list[np.ndarray], sealed: np.ndarray) -> np.ndarray:
    """Return the section of each passage, counted on from stretch to stretch."""
    sizes = {part: -(-int((sealed == part).sum()) // SECTIONS) for part in (False, True)}
    sections, first, row = [], 0, 0
    for stretch in stretches:
        own = np.arange(len(stretch)) // sizes[bool(sealed[row])]
        sections.append(first + own)
        first, row = first + int(own[-1]) + 1, row + len(stretch)
    return np.concatenate(sections).astype(np.int64)
