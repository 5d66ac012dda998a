"""One rung in detail: confusion, scores by class and calibration; or residuals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from gradatim.ops.metrics import CLASSIFICATION, REGRESSION, confusion, mae, per_class, r2, rmse
from gradatim.report.answers import Answers
from gradatim.report.figures.calibration import calibration_figure, roc_figure
from gradatim.report.figures.confusion import confusion_figure
from gradatim.report.figures.scatter import predicted_figure, residual_figure
from gradatim.report.rungs import RungRow
from gradatim.report.words import count, score

__all__ = ["ClassRow", "Detail", "Drawing", "detail"]

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
    numbers: tuple[tuple[str, str], ...]
    drawings: tuple[Drawing, ...]
    classes: tuple[ClassRow, ...]
    notes: tuple[str, ...]


def detail(row: RungRow, now: Answers, names: Sequence[str], chosen: bool) -> Detail:
    """Return the pictures and tables of a rung."""
    lost = [f"{now.lost:,} rows have no finite prediction and are left out."] if now.lost else []
    if now.confidence is None:
        return _regression(row, now, chosen, lost)
    table, kept, capped = _table(now, names, MOST_CLASSES if chosen else MOST_CLASSES // 2)
    drawings = [Drawing(confusion_figure(table, kept), "Depth is the share of the true class.")]
    drawings += _calibration(now)
    rows = zip(kept, *per_class(table), strict=True)
    classes = [_class_row(*values) for values in rows if values[0] != OTHERS]
    numbers = [(name, score(value, name)) for name, value in row.scores.items()]
    numbers += _ece(now)
    notes = tuple(capped + lost)
    return Detail(row.name, chosen, tuple(numbers), tuple(drawings), tuple(classes), notes)


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


def _class_row(name: str, precision: float, recall: float, f: float, support: int) -> ClassRow:
    shares = [score(None if np.isnan(v) else float(v), "f1") for v in (precision, recall, f)]
    return ClassRow(name, *shares, count(float(support)))


def _calibration(now: Answers) -> list[Drawing]:
    drawings = list[Drawing]()
    if now.reliability is not None:
        caption = "On the diagonal, 80 % sure means right in 80 of 100 cases."
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


def _regression(row: RungRow, now: Answers, chosen: bool, notes: list[str]) -> Detail:
    values = {f.__name__: f(now.predicted, now.targets.astype(float)) for f in (r2, rmse, mae)}
    numbers = [(k, score(None if np.isnan(v) else v, k)) for k, v in values.items()]
    known = CLASSIFICATION.keys() | REGRESSION.keys()
    numbers += [(k, score(v, k)) for k, v in row.scores.items() if k not in known]
    drawings = (
        Drawing(predicted_figure(now.targets, now.predicted), "On the diagonal the answer is perfect."),
        Drawing(residual_figure(now.targets, now.predicted), "A pattern here is structure not learnt."),
    )
    return Detail(row.name, chosen, tuple(numbers), drawings, (), tuple(notes))
