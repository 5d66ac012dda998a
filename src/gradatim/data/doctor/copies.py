"""Findings on copies: duplicates, near duplicates, and equal rows with different targets."""

from typing import Literal

import numpy as np

from gradatim.core.samples import Dataset, Finding
from gradatim.data.doctor.grouping import Grouping, tied
from gradatim.data.doctor.neighbours import Neighbours, neighbours
from gradatim.data.doctor.twins import first_rows, twin_rows
from gradatim.data.doctor.view import names, open_rows

__all__ = ["copies"]

Weight = Literal["note", "warning", "blocking"]
KEPT = "They share a group, so no split separates them."
TIMED = "They are not grouped: time rules the split."
BIG = "{} of them stay ungrouped: their group would grow by more than one fold of five."


def copies(dataset: Dataset, sets: np.ndarray, room: int) -> tuple[Grouping, list[Finding]]:
    """Look for copies of rows; return groups that keep them together, and what was found.

    Nothing is grouped when equal rows are normal (a coarse table, which has room for so few
    different rows) or when time rules the split.
    """
    near = Neighbours(np.empty((0, 2), np.int64), len(sets)) if room else neighbours(dataset, sets)
    timed = dataset.samples.times is not None
    if room or timed:
        groups = Grouping(dataset.samples.groups, 0, 0)
    else:
        groups = tied(dataset, sets, near.pairs)
    found = [*_equal(dataset, sets, room, groups), *_near(dataset, near, sets, groups)]
    return groups, found


def _equal(dataset: Dataset, sets: np.ndarray, room: int, groups: Grouping) -> list[Finding]:
    rows = twin_rows(sets)
    if not len(rows):
        return []
    repeats = len(sets) - len(first_rows(sets))
    fate, weight, remedy = _fate(dataset, groups.apart)
    if room:
        fate = f"The columns allow only {room:,} different rows, so this is normal: no grouping."
        weight, remedy = "note", ""
    text = f"Rows that repeat the inputs of an earlier one: {repeats:,} of {len(sets):,}. {fate}"
    if across := _across(dataset, sets):
        text += f"\nRows of the data's own test part that are also among the others: {across:,}."
        weight, remedy = "warning", "remove them from one part, or read its score with that in mind"
    return [Finding("duplicates", weight, text, remedy, names(dataset, rows))]


def _near(dataset: Dataset, near: Neighbours, sets: np.ndarray, groups: Grouping) -> list[Finding]:
    text, distinct = "", len(first_rows(sets))
    if near.seen < distinct:
        text = f"\n{near.seen:,} of {distinct:,} distinct rows were compared."
    if near.usual:
        usual = "Nearly equal rows are common here, so this is normal: no grouping."
        return [Finding("near-duplicates", "note", usual + text)]
    rows = near.pairs[np.argsort(near.pairs[:, 0], kind="stable")].ravel()
    if not len(rows):
        none = "No nearly equal rows were found."
        return [Finding("near-duplicates", "note", none + text)] if text else []
    fate, _, remedy = _fate(dataset, groups.near_apart)
    text = f"Rows nearly equal to another one: {len(np.unique(rows)):,}. {fate}{text}"
    remedy = remedy or "look at the rows named: copies of one thing make scores too good"
    return [Finding("near-duplicates", "warning", text, remedy, names(dataset, rows))]


def _fate(dataset: Dataset, apart: int) -> tuple[str, Weight, str]:
    """Return what became of copies, how much it weighs and what to do."""
    if dataset.samples.times is not None:
        return TIMED, "warning", "remove rows that repeat earlier ones, if they are copies"
    if apart:
        return BIG.format(f"{apart:,}"), "warning", "remove copies, or give groups with --group"
    return KEPT, "note", ""


def _across(dataset: Dataset, sets: np.ndarray) -> int:
    """Return how many sealed rows have a twin outside the test part."""
    sealed = np.ones(len(sets), dtype=np.bool_)
    sealed[open_rows(dataset)] = False
    return int(np.isin(sets[sealed], sets[~sealed]).sum())
