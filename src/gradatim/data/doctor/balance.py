"""Findings on how much there is: few rows, rare and overwhelming classes."""

import numpy as np

from gradatim.core.samples import Dataset, Finding
from gradatim.data.doctor.view import class_names, counted, listing, open_rows, targets

__all__ = ["balance"]

SMALL = 100  # rows
LARGEST, SMALLEST = 0.8, 0.01  # shares of the rows
FOLDS = 5


def balance(dataset: Dataset) -> list[Finding]:
    """Look at the numbers of rows and class members outside the data's own test part."""
    rows, names, answers = open_rows(dataset), class_names(dataset), targets(dataset)
    found = _small(len(rows))
    if answers is None or not names or not len(rows):
        return found
    codes = answers[rows, 0].astype(np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))  # -1: an unknown class
    return [*found, *_imbalance(names, counts), *_few(names, counts)]


def _small(rows: int) -> list[Finding]:
    if rows >= SMALL:
        return []
    text = f"{counted(rows, 'row')} in all: intervals will be wide, near rungs not told apart."
    return [Finding("small-data", "note", text, "collect more rows, or take the simplest rung")]


def _imbalance(names: tuple[str, ...], counts: np.ndarray) -> list[Finding]:
    present = counts > 0
    share = counts / max(counts.sum(), 1)
    if not present.any() or (share.max() <= LARGEST and share[present].min() >= SMALLEST):
        return []
    text = f"The classes are uneven: {_counted(names, counts, np.argsort(-counts, kind='stable'))}."
    return [Finding("imbalance", "note", text, "judge by balanced accuracy, not by accuracy")]


def _few(names: tuple[str, ...], counts: np.ndarray) -> list[Finding]:
    few = np.flatnonzero(counts < FOLDS)
    if not len(few):
        return []
    text = f"Classes with fewer members than {FOLDS} folds: {_counted(names, counts, few)}. "
    text += "Some folds cannot judge them."
    remedy = "use fewer folds (--folds), merge rare classes, or collect more of them"
    return [Finding("few-members", "warning", text, remedy)]


def _counted(names: tuple[str, ...], counts: np.ndarray, which: np.ndarray) -> str:
    parts = [f'"{names[i]}" {counts[i]:,}' for i in which]
    if len(parts) > 6:  # the rarest is the one to know of
        return f"{listing(parts[:5])}, ... {parts[-1]}"
    return listing(parts)
