"""Samples as a reader meets them: a row's picture or cells, its truth and what was said."""

from dataclasses import dataclass

import numpy as np

from gradatim.report.answers import Answers
from gradatim.report.evidence import Evidence, text
from gradatim.report.pictures import Gallery
from gradatim.report.words import plain, share

__all__ = ["Sample", "Sampler", "Shelf"]


@dataclass(frozen=True)
class Sample:
    """One row of the data with what rungs said of it."""

    row: str
    picture: str
    cells: tuple[str, ...]
    truth: str
    before: str
    said: str
    note: str


@dataclass(frozen=True)
class Shelf:
    """Some samples out of `total`, with the names of their cells."""

    samples: tuple[Sample, ...]
    total: int
    columns: tuple[str, ...]
    hidden_columns: int
    measure: str
    """What the note of a sample says."""
    sounds: bool = False
    """Whether pictures are those of recordings."""

    @property
    def pictures(self) -> bool:
        """Tell whether every sample is a picture."""
        return bool(self.samples) and all(sample.picture for sample in self.samples)

    @property
    def compared(self) -> bool:
        """Tell whether two rungs are set side by side."""
        return any(sample.before for sample in self.samples)

    @property
    def cells(self) -> bool:
        """Tell whether the run kept the cells of a row."""
        return any(sample.cells for sample in self.samples)


class Sampler:
    """Make shelves of samples from row numbers."""

    def __init__(self, evidence: Evidence, gallery: Gallery) -> None:
        self.evidence, self.gallery = evidence, gallery

    def shelf(self, places: np.ndarray, most: int, now: Answers, before: Answers | None) -> Shelf:
        """Return the first `most` of `places`, which index the rows of `now` (and `before`).

        Rows that the run kept for showing come first; without any, names must do.
        """
        kept = places[np.isin(now.rows[places], self.gallery.rows)]
        chosen = (kept if len(kept) else places)[:most].tolist()
        hidden = max(0, len(self.gallery.all_columns) - len(self.gallery.columns))
        measure = "Error" if now.confidence is None else "How sure"
        samples = [self._sample(place, now, before) for place in chosen]
        columns, sounds = tuple(self.gallery.columns), self.gallery.sounds
        return Shelf(tuple(samples), len(places), columns, hidden, measure, sounds)

    def _sample(self, place: int, now: Answers, before: Answers | None) -> Sample:
        row, names = int(now.rows[place]), self.evidence.row_names
        note = _sureness(now, place)
        return Sample(
            row=text(names[row]) if row < len(names) else f"row {row}",
            picture=self.gallery.picture(row),
            cells=tuple(self.gallery.cells(row)),
            truth=self.word(now, now.targets[place]),
            before=self.word(before, before.predicted[place]) if before else "",
            said=self.word(now, now.predicted[place]),
            note=note,
        )

    def word(self, kind: Answers, value: float | int) -> str:
        """Return a class's name, or a quantity."""
        if kind.confidence is None:
            return plain(float(value))
        names = self.evidence.classes
        return names[int(value)] if int(value) < len(names) else f"class {int(value)}"


def _sureness(now: Answers, place: int) -> str:
    if now.confidence is None:
        return f"off by {plain(-float(now.quality[place]), 3)}"
    return f"{share(float(now.confidence[place]))} sure"
