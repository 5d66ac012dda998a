"""`Chapter`: everything the page shows of one run, worked out before a line of HTML is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from gradatim.report.board import BoardRow, board
from gradatim.report.details import Drawing
from gradatim.report.evidence import Evidence, number, text
from gradatim.report.figures.climb import climb_figure
from gradatim.report.figures.cost import cost_figure
from gradatim.report.figures.folds import fold_figure
from gradatim.report.figures.scores import Ladder
from gradatim.report.findings import Findings, findings
from gradatim.report.learning import choice, learning
from gradatim.report.meanings import meaning
from gradatim.report.pictures import Gallery
from gradatim.report.qualities import measured_as
from gradatim.report.reproduce import Reproduction, reproduction
from gradatim.report.rungs import RungRow, rung_rows
from gradatim.report.samples import Sampler
from gradatim.report.side_by_side import SideBySide, side_by_side
from gradatim.report.study import Study, study
from gradatim.report.verdict import Verdict, direction_is_up, verdict
from gradatim.report.views import Views, views

__all__ = ["Chapter", "chapter"]

MOST_RUNGS = 24  # drawn and told in detail; the table lists all


@dataclass(frozen=True)
class Chapter:
    """One run, ready to be written."""

    name: str
    task: str
    metric: str
    verdict: Verdict
    board: Sequence[BoardRow]
    others: Sequence[RungRow]
    alone: bool
    notes: Sequence[tuple[str, str]]
    run_notes: Sequence[str]
    climb: Markup | None
    folds: Markup | None
    costs: Sequence[Drawing]
    side: SideBySide | None
    views: Views
    kind: str
    """Of a model's answers, such as "category"."""
    meaning: str
    """What the metric says, where few readers know it."""
    remark: str
    """How the test score was computed, where the task says so."""
    measure: str
    """What is told of a row, such as "PSNR in dB"."""
    study: Study
    choices: Sequence[Drawing]
    learning: Sequence[Drawing]
    findings: Findings
    reproduction: Reproduction
    left_out: int
    hidden_rungs: int


def chapter(folder: Path, budget: int) -> Chapter:
    """Read a run folder and work out its part of the page.

    Args:
        folder: of a run, finished or not.
        budget: how many characters its pictures may take.
    """
    evidence = Evidence(folder)
    rows, higher = rung_rows(evidence), direction_is_up(evidence)
    said, gallery = verdict(evidence, rows), Gallery(evidence, budget)
    fitted = [row for row in rows if row.status == "ok"]
    shown = fitted[-MOST_RUNGS:]
    scored = [row for row in shown if row.tried]
    ladder = Ladder(scored, said.rung, evidence.metric, higher)
    names = [row.name for row in shown]
    side = side_by_side(evidence, names, said.rung, budget)
    seen = views(evidence, names, said.rung, gallery, budget)
    rope, drawn = number(evidence.fact("rope")), len(scored) > 1
    return Chapter(
        name=evidence.name,
        task=evidence.task,
        metric=evidence.metric,
        verdict=said,
        board=board(rows, said.rung, evidence.metric, higher),
        others=[row for row in rows if row.status != "ok"],
        alone=bool(evidence.fit),
        notes=[(row.name, note) for row in rows for note in row.notes],
        run_notes=[text(note) for note in evidence.leaderboard.get("notes") or []],
        climb=climb_figure(ladder, rope) if drawn else None,
        folds=fold_figure(ladder) if drawn and any(row.folds for row in scored) else None,
        costs=_costs(ladder) if drawn else [],
        side=side,
        views=seen,
        kind=evidence.answers,
        meaning=meaning(evidence.metric),
        remark=text(evidence.test.get("remark")),
        measure=measured_as(evidence),
        study=study(evidence, shown, said.rung, Sampler(evidence, gallery)),
        choices=[d for row in shown if (d := choice(evidence, row.name))],
        learning=[d for row in shown for d in learning(evidence, row.name)],
        findings=findings(evidence),
        reproduction=reproduction(evidence),
        left_out=gallery.left_out + (side.left_out if side else 0) + seen.left_out,
        hidden_rungs=len(fitted) - len(shown),
    )


def _costs(ladder: Ladder) -> list[Drawing]:
    kinds = {
        "fit_seconds": ("time to fit", "Mean time to fit one fold."),
        "predict_seconds_1": ("time to answer one row", "Median time to answer one row."),
    }
    drawings = list[Drawing]()
    for cost, (title, caption) in kinds.items():
        figure = cost_figure(ladder.rows, cost, title, ladder.metric, ladder.higher, ladder.chosen)
        drawings += [Drawing(figure, caption)] if figure else []
    return drawings
