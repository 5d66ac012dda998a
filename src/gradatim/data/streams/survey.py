"""The first pass over a stream: what its columns mean, and where their numbers lie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.core.errors import ConfigError, nearest
from gradatim.core.samples import Finding
from gradatim.core.signature import Category, Column, Quantity, Signature, Table
from gradatim.core.source import ReadOptions
from gradatim.data.naming import shown, sorted_names
from gradatim.data.origin import Origin
from gradatim.data.streams.parquet import Stream
from gradatim.data.streams.summary import Numbers, Summary
from gradatim.data.tables.cells import Cells, NumberCells, TextCells
from gradatim.data.tables.coding import code_column
from gradatim.data.tables.columns import MISSING, MOST_VALUES, learn_column
from gradatim.data.tables.roles import roles_of
from gradatim.data.tables.targets import code_target, learn_target

__all__ = ["Survey", "survey"]


@dataclass(frozen=True)
class Survey:
    """What a first pass tells of a table: enough to code every batch of a second one.

    `numbers` says where numeric columns and dates lie, in the order of the signature; None for the
    others. `counts` are the missing cells of each column.
    """

    signature: Signature
    numbers: tuple[Numbers | None, ...]
    target: Summary
    findings: tuple[Finding, ...]
    counts: tuple[int, ...]

    @property
    def columns(self) -> list[str]:
        """Return the columns to read, the target last."""
        fields = self.signature.input.columns  # type: ignore[union-attr]
        return [*(column.name for column in fields), self.target.name]

    @property
    def width(self) -> int:
        """Return about how many features a row has."""
        fields = self.signature.input.columns  # type: ignore[union-attr]
        return sum(len(column.values) + 2 for column in fields) + self.signature.outputs

    def answers(self) -> Tensor:
        """Return coded targets in about the proportions of the whole table; few of a quantity."""
        if isinstance(self.signature.output, Quantity):
            return torch.zeros(1, 1, dtype=torch.float64)
        origin = Origin(self.target.name, [], "parquet", "")
        return code_target(self.target.miniature(), origin, self.signature.output)

    def coded(self, cells: Mapping[str, Cells], origin: Origin) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of a batch, as the signature says."""
        fields = self.signature.input.columns  # type: ignore[union-attr]
        parts = [_coded(cells[column.name], column, origin) for column in fields]
        inputs = torch.from_numpy(np.stack(parts, axis=1))
        return inputs, code_target(cells[self.target.name], origin, self.signature.output)


def survey(
    stream: Stream,
    options: ReadOptions,
    drop: Sequence[str] = (),
    watch: Callable[[int], None] = lambda rows: None,
) -> Survey:
    """Read everything once and decide what each column means, by the rules for tables in memory.

    Args:
        stream: the table.
        options: target and task; groups and times cannot be streamed.
        drop: columns to leave out.
        watch: called with the number of rows that were read.

    Raises:
        DataError: cells that cannot be used.
        ConfigError: a column is not there, or no target was named.
    """
    named: dict[str, Cells] = {name: NumberCells(name, np.empty(0)) for name in stream.columns}
    target, notes = roles_of(named, stream.origin(), options)
    features = _features(stream, target, drop)
    summaries = {name: Summary(name) for name in [*features, target]}
    for start, batch in stream.batches(list(summaries)):
        origin = stream.origin(start, len(batch[target]))
        for name, cells in batch.items():
            summaries[name].take(cells, origin)
        watch(start + len(batch[target]))
    return _decided(stream, summaries, target, options, notes)


def _features(stream: Stream, target: str, drop: Sequence[str]) -> list[str]:
    features = [name for name in stream.columns if name != target]
    for name in drop:
        if name not in features:
            hint = nearest(name, features)
            raise ConfigError(f'--drop: there is no column "{name}"; {hint}')
    kept = [name for name in features if name not in drop]
    if not kept:
        raise ConfigError("--drop leaves no column; keep at least one")
    return kept


def _decided(
    stream: Stream,
    summaries: dict[str, Summary],
    target: str,
    options: ReadOptions,
    notes: list[Finding],
) -> Survey:
    origin = stream.origin()
    answer = summaries.pop(target)
    output, remarks = _output(answer, origin, options.task)
    columns, numbers, counts = [], [], []
    findings = [*notes, *remarks]
    for summary in summaries.values():
        column, found = _column(summary, origin)
        findings += found
        if column is None:
            continue
        if options.missing == "error" and summary.missing:
            trouble = f"column {shown(column.name)} is missing in {summary.missing} rows"
            raise origin.error(trouble, "complete them or say --missing impute")
        columns.append(column)
        numbers.append(summary.numbers() if column.kind in ("numeric", "date") else None)
        counts.append(summary.missing)
    if not columns:
        trouble = "there is no feature column beside the target"
        raise origin.error(trouble, "add columns of numbers, categories or dates")
    signature = Signature(input=Table(columns=tuple(columns)), output=output)
    return Survey(signature, tuple(numbers), answer, tuple(findings), tuple(counts))


def _column(summary: Summary, origin: Origin) -> tuple[Column | None, Sequence[Finding]]:
    if summary.texts is None:
        return summary.column(), ()
    texts, name = summary.texts, summary.name
    if summary.overflowed:
        trouble = f"column {shown(name)} has too many different texts to count, and is left out"
        return None, [Finding("free-text", "note", trouble, "turn it into categories or numbers")]
    distinct = sorted(texts, key=lambda text: (-texts[text], text))
    often = [min(5, texts[text]) for text in distinct]  # free text is what hardly ever repeats
    codes = np.repeat(np.arange(len(distinct)), often)
    unplaced = Origin(origin.name, ["a row"] * len(codes), origin.source, "")
    learnt = learn_column(TextCells(name, codes, tuple(distinct)), unplaced)
    column = learnt.column
    if column is None or column.kind != "category":
        return column, [f for f in learnt.findings if f.code != "rare-values"]
    kept = [text for text in distinct if text not in MISSING]
    found = [f for f in learnt.findings if f.code != "rare-values"]
    if len(kept) > MOST_VALUES:
        others = sum(texts[text] for text in kept[MOST_VALUES:])
        trouble = f"column {shown(name)} has {len(kept)} values; the {MOST_VALUES} most frequent"
        trouble += f" are kept, {others} cells hold others"
        found.append(Finding("rare-values", "note", trouble))
    values = tuple(sorted_names(kept[:MOST_VALUES]))
    return column.model_copy(update={"values": values}), found


def _output(
    answer: Summary, origin: Origin, task: str | None
) -> tuple[Category | Quantity, Sequence[Finding]]:
    if answer.missing:
        trouble = f"target {shown(answer.name)} is missing in {answer.missing} rows"
        raise origin.error(trouble, "complete these rows or remove them")
    if answer.texts is None and (task == "regress" or (task is None and answer.many)):
        return Quantity(names=(answer.name,)), ()
    learnt = learn_target(answer.miniature(), origin, task)
    return learnt.output, learnt.findings


def _coded(cells: Cells, column: Column, origin: Origin) -> np.ndarray:
    """Return the cells of a column that was learnt from them: numbers are what they were."""
    if isinstance(cells, NumberCells):
        return cells.numbers
    return code_column(cells, column, origin)[0]
