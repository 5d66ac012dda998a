"""What the names of files say: a pattern such as `{label}_{speaker}_{index}.wav` takes it out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradatim.core.errors import ConfigError, DataError, nearest
from gradatim.data.naming import listed, shown, sorted_names

__all__ = ["Fields", "compiled", "fields_of", "group_codes"]

STRANGE_SHARE = 0.2
LABEL = "label"
_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Fields:
    """The fields of the names that fit a pattern.

    `values` has for each field one text a name, "" where `fits` is false.
    """

    values: dict[str, list[str]]
    fits: tuple[bool, ...]

    def chosen(self, name: str, role: str) -> list[str]:
        """Return the texts of one field.

        Args:
            name: of the field.
            role: what it is asked for, such as "--group", for the message.

        Raises:
            ConfigError: the pattern has no such field.
        """
        if name not in self.values:
            hint = nearest(name, self.values)
            raise ConfigError(f'{role} {name}: --names has no field "{name}"; {hint}')
        return self.values[name]


def compiled(pattern: str) -> re.Pattern[str]:
    """Return what a pattern of names means.

    A field in braces takes one character or more, but no /; what stands between fields stands for
    itself. Where a name can be read in two ways, earlier fields take as little as they can. The
    pattern fits the end of a path: `{label}/{index}.wav` takes the last folder for the label.

    Args:
        pattern: with a field {label}.

    Raises:
        ConfigError: no {label}, a field twice or side by side with another, or a brace left open.

    >>> compiled("{label}_{speaker}.wav").search("recordings/7_theo.wav").groupdict()
    {'label': '7', 'speaker': 'theo'}
    """
    names = _FIELD.findall(pattern)
    _check(pattern, names)
    pieces = _FIELD.split(pattern)
    parts = [
        re.escape(piece) if place % 2 == 0 else f"(?P<{piece}>[^/]+?)"
        for place, piece in enumerate(pieces)
    ]
    return re.compile(r"(?:^|/)" + "".join(parts) + r"\Z")


def _check(pattern: str, names: Sequence[str]) -> None:
    what = f"--names {shown(pattern, 200)}"
    example = 'give a pattern such as "{label}_{speaker}_{index}.wav"'
    odd = [name for name in names if not _NAME.fullmatch(name)]
    if odd or "{" in _FIELD.sub("", pattern) or "}" in _FIELD.sub("", pattern):
        trouble = f"{listed(odd)} is no name of a field" if odd else "a brace stands alone"
        raise ConfigError(f"{what}: {trouble}; {example}")
    if "}{" in pattern:
        raise ConfigError(f"{what}: nothing stands between two fields; {example}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"{what}: {listed(twice)} stands there twice; name each field once")
    if LABEL not in names:
        raise ConfigError(f"{what} has no field {{{LABEL}}}, which says the class; {example}")


def fields_of(pattern: str, names: Sequence[str], location: str) -> Fields:
    """Return the fields of each name.

    Args:
        pattern: as `compiled` takes it.
        names: paths with / between their parts.
        location: as the user gave it, for the message.

    Raises:
        ConfigError: the pattern is none.
        DataError: above 20 % of the names do not fit it.

    >>> names = ["7_theo.wav", "1_theo.wav", "2_anna.wav", "2_theo.wav", "notes.wav"]
    >>> fields_of("{label}_{speaker}.wav", names, "digits").values["label"]
    ['7', '1', '2', '2', '']
    """
    meaning = compiled(pattern)
    found = [meaning.search(name) for name in names]
    strange = [name for name, match in zip(names, found, strict=True) if match is None]
    if len(strange) > STRANGE_SHARE * len(names):
        share = f"{len(strange)} of {len(names)} names do not fit {shown(pattern, 200)}"
        first = f"the first: {shown(strange[0], 200)}"
        raise DataError(f"{shown(location, 200)}: {share}; {first}; mend --names")
    values = {
        field: ["" if match is None else match[field] for match in found]
        for field in meaning.groupindex
    }
    return Fields(values, tuple(match is not None for match in found))


def group_codes(names: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a code for each name of a group, and what the codes stand for, in natural order.

    >>> group_codes(["theo", "anna", "theo"])
    (array([1, 0, 1]), ('anna', 'theo'))
    """
    known = tuple(sorted_names(set(names)))
    place = {name: code for code, name in enumerate(known)}
    return np.array([place[name] for name in names], np.int64), known
