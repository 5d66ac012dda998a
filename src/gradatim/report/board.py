"""The leaderboard, written out: every cell with the text to show and the number to sort by."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gradatim.report.figures.bars import interval_bar
from gradatim.report.figures.scores import score_range
from gradatim.report.rungs import Pair, RungRow
from gradatim.report.words import chance, compact, duration, score, share, signed, size

__all__ = ["BoardRow", "Cell", "Versus", "board"]


@dataclass(frozen=True)
class Cell:
    """What is shown, and what it sorts by."""

    shown: str
    sort: str


@dataclass(frozen=True)
class Versus:
    """One paired comparison, written out."""

    rung: str
    difference: str
    p: str
    equal: str
    sort: str
    certain: bool


@dataclass(frozen=True)
class BoardRow:
    """One rung that has a score."""

    name: str
    idea: str
    chosen: bool
    score: Cell
    interval: str
    bar: Markup
    below: Versus | None
    best: Versus | None
    costs: tuple[Cell, ...]


def board(rows: Sequence[RungRow], chosen: str, metric: str, higher: bool) -> list[BoardRow]:
    """Return the rows of rungs that were fitted, in ladder order."""
    scored = [row for row in rows if row.tried]
    span = score_range(scored, higher) if scored else (0.0, 1.0)
    return [_row(row, row.name == chosen, metric, span) for row in rows if row.status == "ok"]


def _row(row: RungRow, chosen: bool, metric: str, span: tuple[float, float]) -> BoardRow:
    known = row.low is not None and row.high is not None
    return BoardRow(
        name=row.name,
        idea=row.idea,
        chosen=chosen,
        score=Cell(score(row.score, metric), _sort(row.score)),
        interval=f"{score(row.low, metric)} to {score(row.high, metric)}" if known else "",
        bar=_bar(row, span, chosen),
        below=_versus(row.below, metric),
        best=_versus(row.best, metric),
        costs=_costs(row),
    )


def _bar(row: RungRow, span: tuple[float, float], chosen: bool) -> Markup:
    return (
        Markup() if row.score is None else interval_bar(row.score, row.low, row.high, span, chosen)
    )


def _versus(pair: Pair | None, metric: str) -> Versus | None:
    if pair is None:
        return None
    holm = pair.p_holm is not None
    p = pair.p_holm if holm else pair.p
    return Versus(
        rung=pair.rung,
        difference=signed(pair.difference, metric),
        p=f"p {chance(p)}{'' if holm else ' (raw)'}" if p is not None else "",
        equal=f"equal {share(pair.equal)}" if pair.equal is not None else "",
        sort=_sort(pair.difference),
        certain=p is not None and p < 0.05,
    )


def _costs(row: RungRow) -> tuple[Cell, ...]:
    costs, many = row.costs, row.costs["predict_seconds_256"]
    rate = 256 / many if many else None
    return (
        Cell(compact(costs["parameters"]), _sort(costs["parameters"])),
        Cell(compact(costs["multiply_adds"]), _sort(costs["multiply_adds"])),
        Cell(duration(costs["fit_seconds"]), _sort(costs["fit_seconds"])),
        Cell(duration(costs["predict_seconds_1"]), _sort(costs["predict_seconds_1"])),
        Cell(f"{compact(rate)}/s" if rate else compact(None), _sort(rate)),
        Cell(size(costs["bytes"]), _sort(costs["bytes"])),
    )


def _sort(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"
