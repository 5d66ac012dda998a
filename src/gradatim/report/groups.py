"""By group: every rung's score on each of the named groups of rows, such as speakers."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from gradatim.ops.metrics import REGRESSION
from gradatim.report.answers import Answers
from gradatim.report.evidence import Evidence, text
from gradatim.report.qualities import Qualities, measured
from gradatim.report.words import count, score

__all__ = ["GroupTable", "by_group"]

MOST_GROUPS = 50


@dataclass(frozen=True)
class GroupTable:
    """Rungs across, groups down."""

    measure: str
    rungs: tuple[tuple[str, bool], ...]
    """Names, and which the verdict names."""
    lines: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Name of the group, its number of rows, a score for each rung."""


def by_group(
    evidence: Evidence, said: Mapping[str, Answers | Qualities], measure: str, chosen: str
) -> GroupTable | None:
    """Return the scores by group; None where groups have no names.

    A score is the share of right answers for classes, the run's metric for quantities, the mean
    quality for masks, boxes and pictures; always of rows that a rung had not seen.

    Args:
        evidence: the run.
        said: rung -> its answers, in ladder order.
        measure: what qualities measure.
        chosen: the rung that the verdict names.
    """
    groups = _groups(evidence)
    if groups is None or not said:
        return None
    codes, names = groups
    first = next(iter(said.values()))
    lines = []
    for code, name in enumerate(names):
        rows = first.rows[codes[first.rows] == code]
        if len(rows):
            cells = tuple(_score(evidence, one, rows, measure) for one in said.values())
            lines.append((name, count(float(len(rows))), cells))
    if len(lines) < 2:
        return None
    rungs = tuple((rung, rung == chosen) for rung in said)
    return GroupTable(_named(evidence, first, measure), rungs, tuple(lines))


def _groups(evidence: Evidence) -> tuple[np.ndarray, list[str]] | None:
    document = evidence.document("rows.json")
    codes, names = document.get("groups"), document.get("group_names")
    if (
        not isinstance(codes, list)
        or not isinstance(names, list)
        or not 1 < len(names) <= MOST_GROUPS
    ):
        return None
    if not all(isinstance(code, int) for code in codes):
        return None
    highest = max((int(rows.max()) for rows in evidence.split.values() if len(rows)), default=0)
    return (np.array(codes), [text(name) for name in names]) if highest < len(codes) else None


def _named(evidence: Evidence, one: Answers | Qualities, measure: str) -> str:
    if isinstance(one, Qualities):
        return measure
    return "accuracy" if one.confidence is not None else evidence.metric


def _score(evidence: Evidence, one: Answers | Qualities, rows: np.ndarray, measure: str) -> str:
    mine = np.isin(one.rows, rows)
    if not mine.any():
        return score(None)
    if isinstance(one, Qualities):
        return measured(float(one.values[mine].mean()), measure)
    if one.confidence is not None:
        return score(float(one.right[mine].mean()), "accuracy")
    metric = REGRESSION.get(evidence.metric)
    value = metric(one.predicted[mine], one.targets[mine]) if metric else float("nan")
    return score(value if isfinite(value) else None, evidence.metric)
