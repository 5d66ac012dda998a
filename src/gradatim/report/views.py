"""`Views`: what there is to see of answers that are no classes, no quantities and no masks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup

from gradatim.report.drawn import Sheet, sheets
from gradatim.report.evidence import Evidence
from gradatim.report.extremes import Extremes, extremes
from gradatim.report.figures.spread import spread_figure
from gradatim.report.pictures import Gallery
from gradatim.report.qualities import measured_as, qualities
from gradatim.report.written import Passage, Sentence, passages, sentences

__all__ = ["Views", "views"]


@dataclass
class Views:
    """Each is empty where a run has none: text, translations, new pictures, densities, games."""

    passages: list[Passage] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    spread: Markup | None = None
    """How the rows of every rung spread."""
    extremes: Extremes | None = None
    left_out: int = 0


def views(
    evidence: Evidence, rungs: Sequence[str], chosen: str, gallery: Gallery, budget: int
) -> Views:
    """Return what a run kept for people to look at.

    Args:
        evidence: the run.
        rungs: to be shown, in ladder order.
        chosen: the one that the verdict names.
        gallery: which knows what rows look like.
        budget: how many characters text and pictures may take on the page.
    """
    seen, kind = Views(), evidence.answers
    if kind == "continuation":
        seen.passages, seen.left_out = passages(evidence, rungs, chosen, budget)
    if kind == "translation":
        seen.sentences, seen.left_out = sentences(evidence, rungs, chosen, budget)
    if kind == "synthesis":
        seen.sheets, seen.left_out = sheets(evidence, rungs, chosen, budget)
    if kind == "density":
        seen.extremes = extremes(evidence, rungs, chosen, measured_as(evidence), gallery)
    if kind in ("density", "actions"):
        seen.spread = _spread(evidence, rungs, chosen, dots=kind == "actions")
    return seen


def _spread(evidence: Evidence, rungs: Sequence[str], chosen: str, *, dots: bool) -> Markup | None:
    found = {rung: qualities(evidence, rung) for rung in rungs}
    values: dict[str, np.ndarray] = {r: q.values for r, q in found.items() if q is not None}
    return spread_figure(values, measured_as(evidence), chosen, dots=dots) if values else None
