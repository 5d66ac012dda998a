"""How many rows a rung answers better or worse than the rung below it, and which most."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from gradatim.report.evidence import Evidence, text
from gradatim.report.figures.bars import stacked_bar
from gradatim.report.figures.scatter import predicted_figure
from gradatim.report.qualities import Qualities, measured

__all__ = ["Gain", "GainedRow", "gain"]

SHOWN = 6  # rows a table


@dataclass(frozen=True)
class GainedRow:
    """One row: its name, and how good both answers are."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Gain:
    """Two neighbouring rungs on the rows that both answered."""

    rung: str
    below: str
    rows: int
    better: int
    worse: int
    bar: Markup
    figure: Markup
    most: tuple[GainedRow, ...]
    least: tuple[GainedRow, ...]


def gain(
    names: tuple[str, str], below: Qualities, now: Qualities, measure: str, evidence: Evidence
) -> list[Gain]:
    """Return what changes from the rung `names[0]` to `names[1]`; nothing without common rows."""
    rows, first, second = np.intersect1d(below.rows, now.rows, True, return_indices=True)
    if not len(rows):
        return []
    before, after = below.values[first], now.values[second]
    change = after - before
    up, down = np.argsort(-change, kind="stable"), np.argsort(change, kind="stable")

    def listed(places: np.ndarray) -> tuple[GainedRow, ...]:
        return tuple(_row(evidence, rows[k], before[k], after[k], measure) for k in places[:SHOWN])

    return [
        Gain(
            rung=names[1],
            below=names[0],
            rows=len(rows),
            better=int((change > 0).sum()),
            worse=int((change < 0).sum()),
            bar=stacked_bar(_parts(change)),
            figure=_figure(names, before, after, measure),
            most=listed(up[change[up] > 0]),
            least=listed(down[change[down] < 0]),
        )
    ]


def _parts(change: np.ndarray) -> list[tuple[float, str, str]]:
    return [
        (float((change > 0).sum()), "part-fixed", "better"),
        (float((change == 0).sum()), "part-same", "as good"),
        (float((change < 0).sum()), "part-broken", "worse"),
    ]


def _figure(names: tuple[str, str], before: np.ndarray, after: np.ndarray, measure: str) -> Markup:
    said = f"{measure} of {names[0]}", f"{measure} of {names[1]}"
    return predicted_figure(before, after, said)


def _row(evidence: Evidence, row: int, before: float, after: float, measure: str) -> GainedRow:
    names = evidence.row_names
    name = text(names[row]) if row < len(names) else f"row {row}"
    return GainedRow(name, measured(before, measure), measured(after, measure))
