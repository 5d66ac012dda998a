"""Which picture is noisy, and which one it is compared with, from the paths alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.data.naming import listed, plain_name, shown, sorted_names
from gradatim.data.pictures.classes import PARTS

__all__ = ["CLEAN", "TWICE", "NoisyLayout", "noisy_layout"]

CLEAN = (("noisy", "clean"), ("input", "target"), ("low", "high"))
"""Names of folders of noisy pictures, and of the clean ones beside them."""
TWICE = (("noisy", "noisy2"),)
"""The same scenes twice, with noise of their own."""

Conventions = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class NoisyLayout:
    """Pictures in natural order, relative to the root.

    `second` are the pictures to compare with, None where there are only single ones; `sealed`
    tells for each whether it is of the data's own test part.
    """

    first: tuple[PurePosixPath, ...]
    second: tuple[PurePosixPath, ...] | None
    sealed: tuple[bool, ...] | None
    findings: tuple[Finding, ...]

    @property
    def names(self) -> list[str]:
        """What each row is called."""
        return [plain_name(str(path)) for path in self.first]


def noisy_layout(
    pictures: Sequence[PurePosixPath],
    learnt: Conventions,
    tested: Conventions,
    location: str,
) -> NoisyLayout:
    """Return pairs of folders whose stems agree; single pictures where no part has such folders.

    Args:
        pictures: all that were found.
        learnt: names of pairs of folders to look for.
        tested: the same for the test part, best first.
        location: as the user gave it.

    Raises:
        DataError: one part has pairs and another none, or no stems agree.
    """
    parts = _parts(pictures)
    members = {
        top: [p for p in pictures if not parts or p.parts[0] == top] for top in (parts or {"": ""})
    }
    pairs = {
        top: _pairs(found, bool(parts), tested if parts.get(top) == "test" else learnt)
        for top, found in members.items()
    }
    if not any(pair is not None for pair in pairs.values()):
        return _single(members, parts)
    lone = [top for top, pair in pairs.items() if pair is None]
    if lone:
        trouble = f"{shown(location, 200)}: {listed(lone)} has no noisy and clean folders"
        raise DataError(f"{trouble}, the rest has; arrange all parts alike")
    return _paired({top: pair for top, pair in pairs.items() if pair}, parts, location)


def _parts(pictures: Sequence[PurePosixPath]) -> dict[str, str]:
    tops = {path.parts[0] for path in pictures if len(path.parts) > 1}
    parts = {top: PARTS[top.casefold()] for top in sorted(tops) if top.casefold() in PARTS}
    return parts if {"train", "test"} <= set(parts.values()) else {}


Sides = tuple[dict[str, PurePosixPath], dict[str, PurePosixPath]]


def _pairs(
    pictures: Sequence[PurePosixPath], below: bool, conventions: Conventions
) -> Sides | None:
    """Return the two sides, each picture under its path without the ending."""
    depth = 1 if below else 0
    for names in conventions:
        first, second = (
            {
                str(PurePosixPath(*path.parts[depth + 1 :]).with_suffix("")): path
                for path in pictures
                if len(path.parts) > depth + 1 and path.parts[depth].casefold() == name
            }
            for name in names
        )
        if first and second:
            return first, second
    return None


def _single(members: dict[str, list[PurePosixPath]], parts: dict[str, str]) -> NoisyLayout:
    rows = [(path, parts.get(top) == "test") for top, found in members.items() for path in found]
    order = {name: i for i, name in enumerate(sorted_names(str(path) for path, _ in rows))}
    rows.sort(key=lambda row: order[str(row[0])])
    sealed = tuple(test for _, test in rows) if parts else None
    return NoisyLayout(tuple(path for path, _ in rows), None, sealed, ())


def _paired(pairs: dict[str, Sides], parts: dict[str, str], location: str) -> NoisyLayout:
    alone: list[PurePosixPath] = []
    rows = []
    for top, (one, other) in pairs.items():
        alone += [one[key] for key in one.keys() - other.keys()]
        alone += [other[key] for key in other.keys() - one.keys()]
        rows += [
            (one[key], other[key], parts.get(top) == "test")
            for key in sorted_names(one.keys() & other.keys())
        ]
    names = sorted_names(plain_name(str(path)) for path in alone)
    if not rows:
        trouble = f"{shown(location, 200)}: no noisy picture has a partner: {listed(names, 2)}"
        raise DataError(f"{trouble}; give both the same name up to the ending")
    message = f"{len(names)} pictures have no partner and are left out: {listed(names, 3)}"
    remedy = "give both the same name up to the ending"
    found = (Finding("no-partner", "warning", message, remedy, tuple(names[:20])),) if names else ()
    return NoisyLayout(
        tuple(first for first, _, _ in rows),
        tuple(second for _, second, _ in rows),
        tuple(test for _, _, test in rows) if parts else None,
        found,
    )
