"""Finding the picture that an annotation names, among those that are there."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath, PureWindowsPath

from gradatim.data.pictures.classes import PARTS

__all__ = ["Shelf", "part_of"]


class Shelf:
    """Pictures by every ending of their paths.

    Args:
        pictures: relative to the folder of the data.
    """

    def __init__(self, pictures: Iterable[PurePosixPath]) -> None:
        self._by_name: dict[str, list[PurePosixPath]] = defaultdict(list)
        for picture in pictures:
            self._by_name[picture.name].append(picture)

    def find(self, file: str, home: PurePosixPath, hint: str = "") -> PurePosixPath | None:
        """Return the one picture that is meant, or None when there is none or it is not clear.

        Args:
            file: as the annotation names it; what leads out of the data finds nothing.
            home: the folder of the annotation, relative to that of the data.
            hint: the name of a folder that is meant where several pictures have this name.
        """
        path = PurePosixPath(PureWindowsPath(file).as_posix())
        named = self._by_name.get(path.name, [])
        for exact in (home / path, path):
            if exact in named:
                return exact
        close = [p for p in named if p.parts[-len(path.parts) :] == path.parts] or named
        if len(close) > 1 and hint:
            close = [p for p in close if hint in p.parts[:-1]]
        return close[0] if len(close) == 1 else None


def part_of(name: str) -> str | None:
    """Return train, validation or test when a word of a name means it.

    >>> part_of("instances_val2017"), part_of("test"), part_of("latest")
    ('validation', 'test', None)
    """
    words = re.split(r"[^a-z]+", name.casefold())
    return next((PARTS[word] for word in words if word in PARTS), None)
