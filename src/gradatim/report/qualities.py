"""`Qualities`: how good a rung's answers are, row by row, where an answer is no word or number."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradatim.core.errors import CorruptError
from gradatim.report.evidence import Evidence, text
from gradatim.runs.files import read_array

__all__ = ["Qualities", "measured", "measured_as", "qualities"]


@dataclass(frozen=True)
class Qualities:
    """How good the answers to distinct rows are, higher is better; `rows` ascends."""

    rows: np.ndarray
    values: np.ndarray


def qualities(evidence: Evidence, rung: str) -> Qualities | None:
    """Return a rung's qualities on rows it had not seen; None where its answers have none.

    With repeated folds the first repeat is read. A run of one rung has those of the test rows,
    once they were opened. A row whose quality is not defined is left out.
    """
    if evidence.fit:
        rows, values = evidence.array("test_rows.npy"), evidence.array("test_quality.npy")
        pieces = [] if rows is None or values is None else [(rows, values)]
    else:
        pieces = _of_folds(evidence, rung)
    if not pieces:
        return None
    every, values = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    order = np.argsort(every, kind="stable")
    order = order[np.isfinite(values[order])]
    return Qualities(every[order], values[order]) if len(order) else None


def _of_folds(evidence: Evidence, rung: str) -> list[tuple[np.ndarray, np.ndarray]]:
    pieces = []
    for (repeat, fold), folder in sorted(evidence.fits.get(rung, {}).items()):
        rows, path = evidence.split.get(f"validation_{repeat}_{fold}"), folder / "quality.npy"
        if repeat == 0 and rows is not None and path.is_file():
            pieces.append((rows, _as_long_as(rows, path)))
    return pieces


def _as_long_as(rows: np.ndarray, path: Path) -> np.ndarray:
    values: np.ndarray = read_array(path)
    if values.shape != rows.shape:
        raise CorruptError(f"{path} has {len(values)} rows, its fold {len(rows)}; restore it")
    return values


def measured_as(evidence: Evidence) -> str:
    """Return what qualities are, such as "PSNR in dB"; "quality" when the run does not say."""
    document = evidence.document("gallery.json")
    kept = document.get("side_by_side")
    named = kept.get("measure") if isinstance(kept, dict) else document.get("measure")
    return text(named) or "quality"


def measured(value: float | None, measure: str) -> str:
    """Write a quality.

    >>> measured(28.604, "PSNR in dB"), measured(0.8731, "mean IoU"), measured(None, "F1")
    ('28.60 dB', '0.873', '–')
    >>> measured(56.713, "chrF")
    '56.71'
    """
    if value is None or not np.isfinite(value):
        return "–"
    _, known, unit = measure.partition(" in ")
    digits = f"{value:.2f} {unit}" if known else f"{value:.{3 if abs(value) < 10 else 2}f}"
    return digits.replace("-", "\N{MINUS SIGN}")
