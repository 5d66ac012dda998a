"""The errors a user can meet, drawn as a tree; each class knows the exit code of the command line.

    GradatimError (ValueError)
    ├── ConfigError       2  a flag, a recipe or a name that does not fit
    ├── DataError         3  data that cannot be used as it is, or is not there
    ├── NumericError      4  NaN, infinity, divergence
    ├── ResourceError     5  disk, memory or time is used up
    ├── CorruptError      7  a saved file that is not what was written
    └── LockedError       8  another process holds the run folder

A message says what happened, what was expected and what to do, in at most three lines.
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "CorruptError",
    "DataError",
    "GradatimError",
    "LockedError",
    "NumericError",
    "ResourceError",
    "nearest",
]


class GradatimError(ValueError):
    """Something the user can mend. The message is shown without a traceback."""

    exit_code = 70


class ConfigError(GradatimError):
    """A flag, a recipe or a name that does not fit."""

    exit_code = 2


class DataError(GradatimError):
    """Data that cannot be used as it is, or is not there."""

    exit_code = 3


class NumericError(GradatimError):
    """A NaN, an infinity or a divergence; the last good state is kept."""

    exit_code = 4


class ResourceError(GradatimError):
    """Disk, memory or time is used up."""

    exit_code = 5


class CorruptError(GradatimError):
    """A saved file that is not what was written."""

    exit_code = 7


class LockedError(GradatimError):
    """Another process holds the run folder."""

    exit_code = 8


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a half sentence that helps with a misspelt name.

    Args:
        word: what the user wrote.
        known: the names that exist.

    Returns:
        `did you mean "x"?` when one is near, else `known: a, b, c`.

    >>> nearest("ridg", ["ridge", "mlp"])
    'did you mean "ridge"?'
    >>> nearest("zzz", ["ridge", "mlp"])
    'known: mlp, ridge'
    """
    names = sorted(known)
    close = get_close_matches(word, names, n=1)
    return f'did you mean "{close[0]}"?' if close else f"known: {', '.join(names)}"
