"""Columns with a role: the target, the one that groups rows, the one that is the time."""

import numpy as np
import torch
from torch import Tensor

from gradatim.core.errors import ConfigError, nearest
from gradatim.core.samples import Finding
from gradatim.core.source import ReadOptions
from gradatim.data.naming import listed, number_of, shown
from gradatim.data.origin import Origin
from gradatim.data.tables.cells import Cells, NumberCells, TextCells
from gradatim.data.tables.columns import MISSING, fits, parsed
from gradatim.data.tables.dates import days_of

__all__ = ["USUAL_TARGETS", "groups_and_times", "roles_of"]

USUAL_TARGETS = ("target", "label", "class", "y")


def roles_of(
    table: dict[str, Cells], origin: Origin, options: ReadOptions
) -> tuple[str, list[Finding]]:
    """Return the name of the target, and a note on every column that is no feature.

    Raises:
        ConfigError: a column is not there, has two roles, or no target was named.
    """
    target, notes = _target_name(table, origin, options)
    for role, name in (("group", options.group), ("time", options.time)):
        if name is not None:
            _must_have(table, name, role, origin)
            message = f"column {shown(name)} is the {role} and is no feature"
            notes.append(Finding(role, "note", message))
    names = [name for name in (target, options.group, options.time) if name is not None]
    if len(set(names)) < len(names):
        taken = listed(names)
        raise ConfigError(f"--target, --group and --time need a column each, not {taken}")
    return target, notes


def _target_name(
    table: dict[str, Cells], origin: Origin, options: ReadOptions
) -> tuple[str, list[Finding]]:
    if options.target is not None:
        _must_have(table, options.target, "target", origin)
        return options.target, []
    usual = [name for name in table if name.casefold() in USUAL_TARGETS]
    if len(usual) != 1:
        trouble = f"{shown(origin.name, 200)}: which column is to be predicted?"
        raise ConfigError(f"{trouble} Say --target; there are {listed(list(table))}")
    note = Finding("target", "note", f"column {shown(usual[0])} is the target by its name")
    return usual[0], [note]


def _must_have(table: dict[str, Cells], name: str | None, role: str, origin: Origin) -> None:
    if name is not None and name not in table:
        hint = nearest(name, table)
        hint = hint if "?" in hint and hint.isprintable() else f"there are {listed(list(table))}"
        trouble = f"{shown(origin.name, 200)} has no column {shown(name)} for --{role}"
        raise ConfigError(f"{trouble}; {hint}")


def groups_and_times(
    table: dict[str, Cells], origin: Origin, options: ReadOptions
) -> tuple[Tensor | None, Tensor | None]:
    """Return the coded group and time of each row, where `options` names such columns.

    Raises:
        DataError: a row has no group, or a time that is no moment and no number.
    """
    groups = table.get(options.group) if options.group else None
    times = table.get(options.time) if options.time else None
    return (
        None if groups is None else _groups(groups, origin),
        None if times is None else _times(times, origin),
    )


def _groups(cells: Cells, origin: Origin) -> Tensor:
    if isinstance(cells, NumberCells):
        values: np.ndarray = cells.numbers
        lost = np.isnan(values)
    else:
        values, lost = cells.codes, np.isin(cells.distinct, MISSING)[cells.codes]
    if lost.any():
        trouble = f"group {shown(cells.name)} is missing in {origin.these(lost)}"
        raise origin.error(trouble, "give each row its group")
    return torch.from_numpy(np.unique(values, return_inverse=True)[1].astype(np.int64))


def _times(cells: Cells, origin: Origin) -> Tensor:
    values = cells.numbers if isinstance(cells, NumberCells) else _moments(cells, origin)
    lost = ~np.isfinite(values)
    if lost.any():
        trouble = f"time {shown(cells.name)} is no date and no number in {origin.these(lost)}"
        raise origin.error(trouble, "write dates as 2020-02-01, or give numbers")
    return torch.from_numpy(values.astype(np.float64))


def _moments(cells: TextCells, origin: Origin) -> np.ndarray:
    blank = np.isin(cells.distinct, MISSING)
    dates = parsed(cells, days_of)
    values = dates if fits(cells, dates, blank, origin, "date") else parsed(cells, number_of)
    return values[cells.codes]
