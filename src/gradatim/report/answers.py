"""`Answers`: what a rung said about rows it had not seen, reduced to what the report shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradatim.core.errors import CorruptError
from gradatim.ops.confusion import calibration_curve
from gradatim.report.evidence import Evidence
from gradatim.runs.files import read_array

__all__ = ["Answers", "answers"]

Reliability = tuple[np.ndarray, np.ndarray, np.ndarray]
ROC_POINTS = 200


@dataclass(frozen=True)
class Answers:
    """Predictions of distinct rows; `rows` ascends.

    `quality` is the probability given to the truth, or minus the absolute error. `confidence`
    is the highest probability; regression has none.
    """

    rows: np.ndarray
    targets: np.ndarray
    predicted: np.ndarray
    quality: np.ndarray
    confidence: np.ndarray | None
    reliability: Reliability | None
    roc: np.ndarray | None
    lost: int

    @property
    def right(self) -> np.ndarray:
        """Tell for each row whether the predicted class is the true one."""
        same: np.ndarray = self.predicted == self.targets
        return same


def answers(evidence: Evidence, rung: str) -> Answers | None:
    """Return the out-of-fold predictions of a rung: every row by the fit that did not see it.

    With repeated folds the first repeat is read; a mean over repeats would be another model. A
    run of one rung has no folds: its answers are those for the test rows, once they were opened.
    """
    if evidence.fit:
        return _of_test(evidence)
    pieces = list(_pieces(evidence, rung))
    if not pieces or evidence.targets is None:
        return None
    rows, values = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    return _reduce(evidence, rows, values)


def _of_test(evidence: Evidence) -> Answers | None:
    rows, values = evidence.array("test_rows.npy"), evidence.array("test_predictions.npy")
    if rows is None or values is None or evidence.targets is None:
        return None
    _same_length(evidence.folder / "test_predictions.npy", rows, values)
    return _reduce(evidence, rows, values)


def _pieces(evidence: Evidence, rung: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for (repeat, fold), folder in sorted(evidence.fits.get(rung, {}).items()):
        rows, path = evidence.split.get(f"validation_{repeat}_{fold}"), folder / "predictions.npy"
        if repeat == 0 and rows is not None and path.is_file():
            values = read_array(path)
            _same_length(path, rows, values)
            yield rows, values


def _same_length(path: Path, rows: np.ndarray, values: np.ndarray) -> None:
    if len(rows) != len(values):
        raise CorruptError(f"{path} has {len(values)} rows, its fold {len(rows)}; restore it")


def _reduce(evidence: Evidence, rows: np.ndarray, values: np.ndarray) -> Answers | None:
    targets = evidence.targets
    if targets is None or (len(rows) and rows.max() >= len(targets)):
        raise CorruptError(f"{evidence.folder / 'split.npz'} names rows that the targets lack")
    order = np.argsort(rows, kind="stable")
    rows, values = rows[order], values[order]
    known = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    rows, values, lost = rows[known], values[known], int((~known).sum())
    truth = targets[rows]
    if not len(rows):
        return None
    if evidence.task == "classify" and values.ndim == 2:
        return _classified(rows, truth.astype(np.int64), values, lost)
    predicted = values.reshape(len(values), -1)[:, 0].astype(np.float64)
    quality = -np.abs(predicted - truth)
    return Answers(rows, truth, predicted, quality, None, None, None, lost)


def _classified(
    rows: np.ndarray, truth: np.ndarray, values: np.ndarray, lost: int
) -> Answers | None:
    if truth.min() < 0 or truth.max() >= values.shape[1]:
        raise CorruptError(f"predictions have {values.shape[1]} classes, the targets more")
    predicted, confidence = values.argmax(axis=1), values.max(axis=1).astype(np.float64)
    quality = values[np.arange(len(rows)), truth].astype(np.float64)
    roc = _roc(values[:, 1], truth) if values.shape[1] == 2 else None
    reliability = _reliability(values, truth)
    return Answers(rows, truth, predicted, quality, confidence, reliability, roc, lost)


def _reliability(values: np.ndarray, truth: np.ndarray) -> Reliability | None:
    """Return the calibration curve; scores that are no probabilities have none."""
    try:
        return calibration_curve(values, truth, 10)
    except ValueError:
        return None


def _roc(scores: np.ndarray, truth: np.ndarray) -> np.ndarray | None:
    """Return false and true alarm rates (points, 2), a threshold each, thinned."""
    positives = int(truth.sum())
    if positives in (0, len(truth)):
        return None
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(truth[order])[ends]
    points = np.stack([(ends + 1 - hits) / (len(truth) - positives), hits / positives], axis=1)
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), ROC_POINTS)).astype(int))
    return np.vstack([[0.0, 0.0], points[kept]])
