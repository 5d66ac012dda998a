"""`Study`: what comes of reading every rung's answers, the rung below still in mind."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gradatim.report.answers import Answers, answers
from gradatim.report.changes import Change, change, mistakes
from gradatim.report.details import Detail, detail, graded_detail
from gradatim.report.evidence import Evidence
from gradatim.report.gains import Gain, gain
from gradatim.report.groups import GroupTable, by_group
from gradatim.report.qualities import Qualities, measured_as, qualities
from gradatim.report.rungs import RungRow
from gradatim.report.samples import Sampler, Shelf

__all__ = ["Study", "study"]

UNPAIRED = ("synthesis", "actions")
"""Answers that belong to no row: a picture drawn has no right one, and a game is a chance."""


@dataclass
class Study:
    """What each rung changes, every rung in detail, the worst mistakes, and scores by group.

    `changes` and `worst` are of classes and quantities, `gains` of other answers to rows.
    """

    changes: list[Change] = field(default_factory=list)
    gains: list[Gain] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    worst: Shelf | None = None
    groups: GroupTable | None = None


def study(evidence: Evidence, rows: Sequence[RungRow], chosen: str, sampler: Sampler) -> Study:
    """Read the answers of each rung once.

    Args:
        evidence: the run.
        rows: of the rungs to be studied, in ladder order.
        chosen: the rung that the verdict names.
        sampler: which finds the samples to be shown.
    """
    made, said = Study(), dict[str, Answers | Qualities]()
    measure, below = measured_as(evidence), ""
    for row in rows:
        now = answers(evidence, row.name) or qualities(evidence, row.name)
        if now is None:
            continue
        is_chosen = row.name == chosen
        test = (evidence.test.get("scores") or {}) if is_chosen and not evidence.fit else {}
        before, names = said.get(below), (below, row.name)
        if isinstance(now, Qualities):
            curve = evidence.array("test_curve.npz") if is_chosen else None
            made.details.append(graded_detail(row, is_chosen, test, curve))
            if isinstance(before, Qualities) and evidence.answers not in UNPAIRED:
                made.gains += gain(names, before, now, measure, evidence)
        else:
            made.details.append(detail(row, now, evidence.classes, is_chosen, test))
            if isinstance(before, Answers):
                made.changes.append(change(names, before, now, sampler))
            if is_chosen:
                made.worst = mistakes(now, sampler)
        said[row.name], below = now, row.name
    made.details.sort(key=lambda one: not one.chosen)
    made.groups = by_group(evidence, said, measure, chosen)
    return made
