"""`Variant`: one of the things that stand on a leaderboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from gradatim.core.rung import Rung

__all__ = ["Variant"]


@dataclass(frozen=True)
class Variant:
    """A rung, or one of several ways to fit the same rung.

    Args:
        name: under which its fits are kept; that of its `Work`. It names a folder.
        place: order on the leaderboard, low is simple.
        idea: what it is, in one sentence.
        source: where it comes from.
        deviations: from the source.
    """

    name: str
    place: int
    idea: str
    source: str = ""
    deviations: Sequence[str] = ()

    @classmethod
    def of(cls, rung: Rung) -> Self:
        """Return a rung as it stands on the ladder."""
        return cls(rung.name, rung.place, rung.idea, rung.source, rung.deviations)
