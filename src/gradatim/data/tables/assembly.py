"""A table: columns as they were read become samples with a signature."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import (
    Category,
    Column,
    Density,
    OutputField,
    Quantity,
    Signature,
    Table,
)
from gradatim.core.source import ReadOptions
from gradatim.data.naming import listed, shown
from gradatim.data.origin import Origin, what_to_give
from gradatim.data.tables.cells import Cells, as_text
from gradatim.data.tables.coding import code_column
from gradatim.data.tables.columns import learn_column
from gradatim.data.tables.roles import groups_and_times, roles_of
from gradatim.data.tables.targets import code_target, learn_target, no_targets

__all__ = ["dataset_from_cells"]


def dataset_from_cells(columns: Sequence[Cells], origin: Origin, options: ReadOptions) -> Dataset:
    """Return the samples of a table.

    Args:
        columns: all of one length; their names differ.
        origin: where they came from.
        options: which column is what, or the signature of a fitted model.

    Raises:
        DataError: cells that cannot be used.
        ConfigError: `options` names a column that is not there.
    """
    table = _named(columns, origin)
    if options.signature is not None:
        return _code(table, options.signature, origin, options)
    return _learn(table, origin, options)


def _named(columns: Sequence[Cells], origin: Origin) -> dict[str, Cells]:
    names = [cells.name for cells in columns]
    for place, name in enumerate(names, 1):
        if not name:
            raise origin.error(f"column {place} has no name", "name it, or leave the column out")
        if names.index(name) != place - 1:
            trouble = f"columns {names.index(name) + 1} and {place} are both called {shown(name)}"
            raise origin.error(trouble, "rename one of them")
    if not len(origin.rows):
        raise origin.error("there are no rows of data", "add rows")
    return {cells.name: cells for cells in columns}


def _learn(table: dict[str, Cells], origin: Origin, options: ReadOptions) -> Dataset:
    if options.rows_alone and options.target is None:
        return _learn_rows(table, origin, options)
    target, notes = roles_of(table, origin, options)
    _refuse_one_row(origin)
    answer = learn_target(table[target], origin, options.task)
    taken = {target, options.group, options.time}
    rest = [cells for name, cells in table.items() if name not in taken]
    inputs, columns, findings = _features(rest, origin)
    _refuse_missing(inputs, columns, origin, options)
    samples = Samples(inputs, answer.values, *groups_and_times(table, origin, options))
    signature = Signature(input=Table(columns=tuple(columns)), output=answer.output)
    return origin.dataset(samples, signature, [*notes, *answer.findings, *findings])


def _refuse_one_row(origin: Origin) -> None:
    if len(origin.rows) < 2:
        raise origin.error("one row is no data to learn from", "add rows")


def _learn_rows(table: dict[str, Cells], origin: Origin, options: ReadOptions) -> Dataset:
    """Return a table in which no column is a target."""
    _refuse_one_row(origin)
    rest = [cells for name, cells in table.items() if name not in (options.group, options.time)]
    inputs, columns, findings = _features(rest, origin)
    _refuse_missing(inputs, columns, origin, options)
    targets = torch.zeros(len(inputs), 1)
    samples = Samples(inputs, targets, *groups_and_times(table, origin, options))
    signature = Signature(input=Table(columns=tuple(columns)), output=Density())
    return origin.dataset(samples, signature, findings)


def _features(rest: list[Cells], origin: Origin) -> tuple[Tensor, list[Column], list[Finding]]:
    learnt = [learn_column(cells, origin) for cells in rest]
    kept = [entry for entry in learnt if entry.column is not None]
    findings = [finding for entry in learnt for finding in entry.findings]
    if not kept:
        reason = f" ({findings[0].message})" if findings else ""
        trouble = f"there is no feature column beside the target{reason}"
        raise origin.error(trouble, "add columns of numbers, categories or dates")
    inputs = torch.from_numpy(np.stack([entry.cells for entry in kept], axis=1))
    return inputs, [entry.column for entry in kept if entry.column is not None], findings


def _refuse_missing(
    inputs: Tensor, columns: Sequence[Column], origin: Origin, options: ReadOptions
) -> None:
    if options.missing != "error":
        return
    for column, cells in zip(columns, inputs.T, strict=True):
        lost = cells.isnan().numpy()
        if lost.any():
            where = f"column {shown(column.name)} is missing in {origin.these(lost)}"
            raise origin.error(where, "complete them or say --missing impute")


def _code(
    table: dict[str, Cells], signature: Signature, origin: Origin, options: ReadOptions
) -> Dataset:
    if not isinstance(signature.input, Table):
        raise origin.error("this is a table", what_to_give(signature.input))
    columns = signature.input.columns
    absent = [column.name for column in columns if column.name not in table]
    if absent:
        trouble = f"{len(absent)} columns that the model reads are not there: {listed(absent)}"
        raise origin.error(trouble, "add them; their order does not matter")
    coded = [code_column(table[column.name], column, origin) for column in columns]
    inputs = torch.from_numpy(np.stack([cells for cells, _ in coded], axis=1))
    _refuse_missing(inputs, columns, origin, options)
    target = options.target or _name_of(signature.output)
    targets = _answers(table.get(target), origin, signature.output)
    samples = Samples(inputs, targets, *groups_and_times(table, origin, options))
    findings = [finding for _, remarks in coded for finding in remarks]
    used = {column.name for column in columns} | {target, options.group, options.time}
    return origin.dataset(samples, signature, findings + _extra(set(table) - used))


def _name_of(output: OutputField) -> str:
    if isinstance(output, Category):
        return output.name
    return output.names[0] if isinstance(output, Quantity) else output.kind


def _answers(cells: Cells | None, origin: Origin, output: OutputField) -> Tensor:
    if cells is None or set(as_text(cells).distinct) == {""}:
        return no_targets(output)
    return code_target(cells, origin, output)


def _extra(names: set[str]) -> list[Finding]:
    if not names:
        return []
    message = f"{len(names)} columns are not read by the model: {listed(sorted(names))}"
    return [Finding("extra-columns", "note", message)]
