"""One rung in detail: confusion, scores by class and calibration; or residuals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from gradatim.ops.confusion import confusion, per_class
from gradatim.ops.metrics import REGRESSION
from gradatim.report.answers import Answers
from gradatim.report.evidence import number
from gradatim.report.figures.calibration import calibration_figure, precision_figure, roc_figure
from gradatim.report.figures.confusion import confusion_figure
from gradatim.report.figures.scatter import predicted_figure, residual_figure
from gradatim.report.rungs import RungRow
from gradatim.report.words import count, score

__all__ = ["ClassRow", "Detail", "Drawing", "detail", "graded_detail"]

MOST_CLASSES = 30


@dataclass(frozen=True)
class Drawing:
    """A figure with the sentence below it."""

    figure: Markup
    caption: str


@dataclass(frozen=True)
class ClassRow:
    """The scores of one class, written out."""

    name: str
    precision: str
    recall: str
    f1: str
    support: str


@dataclass(frozen=True)
class Detail:
    """All that is shown of one rung's out-of-fold answers."""

    name: str
    chosen: bool
    numbers: tuple[tuple[str, str, str], ...]
    """Name, out-of-fold score, test score (empty but for the chosen rung)."""
    drawings: tuple[Drawing, ...]
    classes: tuple[ClassRow, ...]
    notes: tuple[str, ...]
    source: str
    deviations: tuple[str, ...]


def detail(
    row: RungRow, now: Answers, names: Sequence[str], chosen: bool, test: Mapping[str, Any]
) -> Detail:
    """Return the pictures and tables of a rung.

    Args:
        row: its line of the leaderboard.
        now: its answers.
        names: of the classes.
        chosen: whether the verdict names it.
        test: its scores on the test split, if they are known.
    """
    notes = [f"{now.lost:,} rows have no finite prediction and are left out."] if now.lost else []
    classes = list[ClassRow]()
    if now.confidence is None:
        drawings = _regression(now)
    else:
        table, kept, capped = _table(now, names, MOST_CLASSES if chosen else MOST_CLASSES // 2)
        notes, classes = capped + notes, _classes(table, kept)
        caption = "The deeper a cell, the larger its share of the true class."
        drawings = [Drawing(confusion_figure(table, kept), caption), *_calibration(now)]
    return Detail(
        name=row.name,
        chosen=chosen,
        numbers=tuple(_numbers(row, now, test)),
        drawings=tuple(drawings),
        classes=tuple(classes),
        notes=tuple(notes),
        source=row.source,
        deviations=row.deviations,
    )


def graded_detail(
    row: RungRow, chosen: bool, test: Mapping[str, Any], curve: Mapping[str, np.ndarray] | None
) -> Detail:
    """Return the scores of a rung that answers with masks, boxes or pictures.

    Args:
        row: its line of the leaderboard.
        chosen: whether the verdict names it.
        test: its scores on the test split, if they are known.
        curve: its precision, recall and confidence there, if they are known.
    """
    numbers = tuple(_written(row.scores, test))
    drawings = tuple(_precision(curve)) if curve is not None else ()
    return Detail(row.name, chosen, numbers, drawings, (), (), row.source, row.deviations)


def _precision(curve: Mapping[str, np.ndarray]) -> list[Drawing]:
    lines = [curve.get(name) for name in ("recall", "precision", "confidence")]
    known = [line for line in lines if line is not None and line.ndim == 1 and len(line) > 1]
    if len(known) < 3 or len({len(line) for line in known}) > 1:
        return []
    caption = "On the test rows, as the confidence falls that a find must have; the dot is 50%."
    return [Drawing(precision_figure(*known), caption)]


def _numbers(row: RungRow, now: Answers, test: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    numbers = _written(dict(row.scores) or _regression_scores(now), test)
    return numbers + [(name, value, "") for name, value in _ece(now)]


def _written(
    scores: Mapping[str, float | None], test: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    tested = {name: number(value) for name, value in test.items()}
    return [
        (name, score(value, name), score(tested[name], name) if name in tested else "")
        for name, value in scores.items()
    ]


def _regression_scores(now: Answers) -> dict[str, float | None]:
    if now.confidence is not None:
        return {}
    return {name: number(f(now.predicted, now.targets)) for name, f in REGRESSION.items()}


OTHERS = "all other classes"


def _table(
    now: Answers, names: Sequence[str], most: int
) -> tuple[np.ndarray, list[str], list[str]]:
    """Return the confusion table, of the classes with most mistakes when there are too many."""
    classes = 1 + int(max(now.targets.max(), now.predicted.max(), len(names) - 1))
    every = [names[k] if k < len(names) else f"class {k}" for k in range(classes)]
    if classes <= most:
        return confusion(now.predicted, now.targets, classes), every, []
    wrong = ~now.right
    errors = np.bincount(now.targets[wrong], minlength=classes)
    errors += np.bincount(now.predicted[wrong], minlength=classes)
    kept = np.sort(np.argsort(-errors, kind="stable")[: most - 1])
    place = np.full(classes, most - 1)
    place[kept] = np.arange(len(kept))
    table = confusion(place[now.predicted], place[now.targets], most)
    note = f"{classes:,} classes: the {most - 1} with most mistakes are shown, the rest as one."
    return table, [every[k] for k in kept] + [OTHERS], [note]


def _classes(table: np.ndarray, names: Sequence[str]) -> list[ClassRow]:
    rows = zip(names, *per_class(table), strict=True)
    return [_class_row(*values) for values in rows if values[0] != OTHERS]


def _class_row(name: str, precision: float, recall: float, f: float, support: int) -> ClassRow:
    shares = [score(number(float(value)), "f1") for value in (precision, recall, f)]
    return ClassRow(name, shares[0], shares[1], shares[2], count(float(support)))


def _calibration(now: Answers) -> list[Drawing]:
    drawings = list[Drawing]()
    if now.reliability is not None:
        caption = "On the diagonal, 80% sure means right in 80 of 100 cases."
        drawings.append(Drawing(calibration_figure(now.reliability), caption))
    if now.roc is not None:
        drawings.append(Drawing(roc_figure(now.roc), "Each point is a threshold."))
    return drawings


def _ece(now: Answers) -> list[tuple[str, str]]:
    if now.reliability is None:
        return []
    confidence, share, number = now.reliability
    gaps = np.nan_to_num(np.abs(share - confidence))
    return [("ece (10 bins)", score(float(gaps @ number / number.sum()), "ece"))]


def _regression(now: Answers) -> list[Drawing]:
    first, second = (f(now.targets, now.predicted) for f in (predicted_figure, residual_figure))
    return [
        Drawing(first, "On the diagonal the answer is perfect."),
        Drawing(second, "A pattern here is structure that was not learnt."),
    ]
