"""`Logger`: takes the tracks of a run, as often as they are given, and writes each point once."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from gradatim.runs.loggers._tracks import Track

__all__ = ["Logger"]


class Logger(ABC):
    """Writes the records of one run folder to a place of another tool.

    Attributes:
        place: what the user opens with the other tool.
    """

    summary: ClassVar[str]
    """What it writes, in one line."""
    packages: ClassVar[tuple[str, ...]]
    """Modules that it imports when it writes, in `pip install "gradatim[tracking]"`."""
    look: ClassVar[str]
    """The command that shows what was written; {place} stands for the place."""
    place: str

    @classmethod
    @abstractmethod
    def opened(cls, run: Path, out: str | None) -> Self:
        """Return a logger for a run folder.

        Args:
            run: the folder.
            out: where to; by default beside the run folder.

        Raises:
            ConfigError: nothing can be written there.
        """

    @abstractmethod
    def write(self, track: Track) -> int:
        """Write what is not there yet of a track; return how many records were new."""
