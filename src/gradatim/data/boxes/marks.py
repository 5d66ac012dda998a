"""What annotations say of pictures: named boxes, checked and brought to shares of a picture."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from gradatim.data.naming import listed, plain_name, shown

__all__ = ["Checked", "Mark", "Sheet", "checked"]


@dataclass(frozen=True)
class Mark:
    """One box as it was annotated.

    Args:
        name: of its class.
        edges: left, top, right, bottom: pixels from 0, where 0 and the width are the borders of
            the picture; or shares in [0, 1] where the sheet has no size.
        where: which object of which file, for messages.
    """

    name: str
    edges: tuple[float, float, float, float]
    where: str


@dataclass(frozen=True)
class Sheet:
    """The annotation of one picture.

    Args:
        picture: relative to the folder of the data.
        marks: its boxes.
        size: height and width that the annotation speaks of; None when its edges are shares.
        sealed: whether the picture is of the data's own test part.
        troubles: boxes that could not be read at all, a sentence each.
        left_out: how many objects are marked as difficult or as a crowd.
    """

    picture: PurePosixPath
    marks: Sequence[Mark] = ()
    size: tuple[float, float] | None = None
    sealed: bool = False
    troubles: Sequence[str] = ()
    left_out: int = 0

    @property
    def name(self) -> str:
        """The picture's name as valid Unicode."""
        return plain_name(str(self.picture))


@dataclass
class Checked:
    """The boxes of one picture that can be used, and what was found out about the others."""

    boxes: list[list[float]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    clipped: int = 0
    disagrees: bool = False

    def array(self) -> np.ndarray:
        """Return float32 (boxes, 5): left, top, right, bottom as shares, class number."""
        return np.array(self.boxes, np.float32).reshape(-1, 5)


def checked(sheet: Sheet, size: tuple[int, int], place: Mapping[str, int]) -> Checked:
    """Return the boxes of a picture as shares of it, clipped to [0, 1].

    Where the annotation speaks of another size, a picture of the same shape (1 % off at most) was
    resized after it was annotated: edges are shares of the annotated size. Of another shape, the
    annotated size is wrong, and edges are pixels of the picture.

    Args:
        sheet: what was annotated.
        size: height and width of the picture itself.
        place: the number of each class.
    """
    made = Checked(troubles=list(sheet.troubles))
    height, width = _unit(sheet, size)
    made.disagrees = sheet.size is not None and tuple(sheet.size) != tuple(size)
    for mark in sheet.marks:
        left, top, right, bottom = mark.edges
        edges = (left / width, top / height, right / width, bottom / height)
        trouble = _trouble(mark, edges, place)
        if trouble:
            made.troubles.append(f"{mark.where}: {trouble}")
            continue
        inside = [min(1.0, max(0.0, edge)) for edge in edges]
        # A corner of the picture that was rounded is not what anybody wants to be told of.
        made.clipped += any(abs(a - b) > 1e-3 for a, b in zip(edges, inside, strict=True))
        made.boxes.append([*inside, place[mark.name]])
    return made


def _unit(sheet: Sheet, size: tuple[int, int]) -> tuple[float, float]:
    if sheet.size is None:
        return 1.0, 1.0
    height, width = sheet.size
    same_shape = height > 0 < width and abs(height * size[1] / (width * size[0]) - 1) <= 0.01
    return (height, width) if same_shape else size


def _trouble(mark: Mark, edges: Sequence[float], place: Mapping[str, int]) -> str:
    if mark.name not in place:
        return f"no class is called {shown(mark.name)}; known: {listed(list(place), 5)}"
    if not all(math.isfinite(edge) for edge in edges):
        return "its edges are no finite numbers"
    left, top, right, bottom = edges
    if right <= left or bottom <= top:
        return "it is empty or inverted"
    if right <= 0 or bottom <= 0 or left >= 1 or top >= 1:
        return "it is outside of the picture"
    return ""
