"""The rows that a density finds least and most likely, as pictures or as cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradatim.report.evidence import Evidence, entries, number, text
from gradatim.report.pictures import Gallery
from gradatim.report.qualities import measured

__all__ = ["Extreme", "Extremes", "extremes"]


@dataclass(frozen=True)
class Extreme:
    """One row, and what the rungs make of it."""

    row: str
    picture: str
    cells: tuple[str, ...]
    own: str
    below: str


@dataclass(frozen=True)
class Extremes:
    """The ends of the ranking by the chosen rung."""

    least: tuple[Extreme, ...]
    most: tuple[Extreme, ...]
    rung: str
    below: str
    """The rung below it; empty when there is none."""
    columns: tuple[str, ...]
    hidden_columns: int

    @property
    def pictures(self) -> bool:
        """Tell whether rows are to be looked at."""
        return any(one.picture for one in (*self.least, *self.most))


def extremes(
    evidence: Evidence, rungs: Sequence[str], chosen: str, measure: str, gallery: Gallery
) -> Extremes | None:
    """Return the extreme rows that a run kept; None when it kept none.

    Args:
        evidence: the run.
        rungs: in ladder order.
        chosen: the one that the verdict names.
        measure: what is told of a row, such as "nats".
        gallery: which knows what rows look like.
    """
    kept = evidence.document("gallery.json").get("extremes")
    if not isinstance(kept, dict) or chosen not in rungs:
        return None
    place = list(rungs).index(chosen)
    below = rungs[place - 1] if place else ""

    def told(end: str) -> tuple[Extreme, ...]:
        rows = [row for row in entries(kept.get(end)) if number(row.get("row")) is not None]
        return tuple(_extreme(evidence, row, chosen, below, measure, gallery) for row in rows)

    hidden = max(0, len(gallery.all_columns) - len(gallery.columns))
    ends = told("least"), told("most")
    return Extremes(*ends, chosen, below, tuple(gallery.columns), hidden) if any(ends) else None


def _extreme(
    evidence: Evidence,
    row: Mapping[str, Any],
    chosen: str,
    below: str,
    measure: str,
    gallery: Gallery,
) -> Extreme:
    place, names, graded = int(row["row"]), evidence.row_names, row.get("quality")
    values = graded if isinstance(graded, dict) else {}
    return Extreme(
        row=text(names[place]) if 0 <= place < len(names) else f"row {place}",
        picture=gallery.picture(place),
        cells=tuple(gallery.cells(place)),
        own=measured(number(values.get(chosen)), measure),
        below=measured(number(values.get(below)), measure) if below else "",
    )
