"""Which part a row belongs to, as a function of its number and the seed: nothing is stored."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradatim.core.randomness import seed_for
from gradatim.data.splits import TEST_SHARE

__all__ = ["HashedFold", "Membership", "chances"]

SCHEME = "splitmix64, version 1"
BLOCKS = 20
"""Blocks of the sealed test part: how a score differs without one of them tells its interval."""
FEWEST = 4
"""Parts that the rows to learn from have at least, for what is chosen inside of them."""


def chances(start: int, stop: int, key: int) -> np.ndarray:
    """Return a number in [0, 1) for each of the rows start .. stop - 1, independent of all others.

    Args:
        start: the first row.
        stop: the row after the last one.
        key: of the use, 63 bits; see `core.randomness.seed_for`.

    Source: Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators" (SplitMix):
        its output at step `row + 1` from the state `key`, which needs none of those before it.

    >>> bool((chances(0, 4, 1)[2:] == chances(2, 4, 1)).all())
    True
    """
    steps = np.arange(start + 1, stop + 1, dtype=np.uint64)
    z = steps * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)) * 2.0**-53


@dataclass(frozen=True)
class HashedFold:
    """One fold of a membership: `parts` are validated on, the other parts teach."""

    repeat: int
    fold: int
    parts: range

    @property
    def name(self) -> str:
        """Return a name for files: repeat and fold, from 0."""
        return f"{self.repeat}-{self.fold}"


@dataclass(frozen=True)
class Membership:
    """A sealed test part of a fifth, and folds of the rest.

    The rows to learn from are cut into parts, the same number for each fold, so that there are
    parts to choose a penalty with inside of every training fold.
    """

    rows: int
    seed: int
    count: int
    repeats: int = 1

    @property
    def per_fold(self) -> int:
        """Return how many parts a fold has."""
        return -(-FEWEST // (self.count - 1))

    @property
    def parts(self) -> int:
        """Return how many parts the rows to learn from have."""
        return self.count * self.per_fold

    @property
    def pieces(self) -> int:
        """Return how many parts and test blocks there are."""
        return self.parts + BLOCKS

    @cached_property
    def folds(self) -> tuple[HashedFold, ...]:
        """Return the folds of all repeats."""
        size = self.per_fold
        cuts = [range(f * size, (f + 1) * size) for f in range(self.count)]
        pairs = ((r, f) for r in range(self.repeats) for f in range(self.count))
        return tuple(HashedFold(r, f, cuts[f]) for r, f in pairs)

    @property
    def ratio(self) -> float:
        """Return how many rows are validated on for one that teaches."""
        return 1 / (self.count - 1)

    @property
    def hash(self) -> str:
        """Return 64 hexadecimal digits that change with the part of any row."""
        facts = (SCHEME, self.rows, self.seed, self.count, self.repeats, TEST_SHARE, BLOCKS, FEWEST)
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def of(self, start: int, stop: int, repeat: int = 0) -> np.ndarray:
        """Return the piece of the rows start .. stop - 1: parts first, test blocks after them."""
        sealed = chances(start, stop, seed_for(self.seed, "test part"))
        blocks = self.parts + (sealed / TEST_SHARE * BLOCKS).astype(np.int64)
        dealt = chances(start, stop, seed_for(self.seed, "parts", repeat))
        parts = (dealt * self.parts).astype(np.int64)
        return np.where(sealed < TEST_SHARE, blocks, parts)
