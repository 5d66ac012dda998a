"""What the target column means: classes or a quantity.

Text and booleans are classes. Whole numbers are classes when there are two of them, or at most 20
with five rows or more for each. Everything else is a quantity. `--task` overrides.

Labels stay as they are spelled: "NA", "None", "007" and "1e5" are names. Only an empty cell is a
missing label; between numbers every cell of `MISSING` is.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.core.samples import Finding
from gradatim.core.signature import Category, Density, OutputField, Quantity, Synthesis
from gradatim.data.naming import listed, number_of, shown, sorted_names, twins
from gradatim.data.origin import Origin
from gradatim.data.tables.cells import Cells, NumberCells, TextCells, as_text
from gradatim.data.tables.columns import MISSING, fits, parsed

__all__ = ["Target", "code_target", "learn_target", "no_targets", "twin_findings"]

MOST_CLASSES = 20


@dataclass(frozen=True)
class Target:
    """The output field, the coded targets, and remarks."""

    output: Category | Quantity
    values: Tensor
    findings: tuple[Finding, ...] = ()


def learn_target(cells: Cells, origin: Origin, task: str | None) -> Target:
    """Decide what the target means and code it.

    Raises:
        DataError: missing or infinite cells, one class only, or text where numbers are asked for.
    """
    numbers = _numbers(cells, origin, asked=task == "regress")
    if task == "regress":
        return _quantity(cells, numbers, origin)
    texts = as_text(cells)
    _refuse_missing(texts, np.array([text == "" for text in texts.distinct]), origin)
    if task == "classify" or numbers is None or _few(numbers):
        note = () if numbers is None or task else (_taken_as_classes(texts),)
        return _classes(texts, origin, note)
    return _quantity(cells, numbers, origin)


def code_target(cells: Cells, origin: Origin, output: OutputField) -> Tensor:
    """Return targets coded as a fitted model has them.

    Raises:
        DataError: a missing cell, a class that the model does not know, or text for a number.
    """
    if isinstance(output, Quantity):
        return _quantity(cells, _numbers(cells, origin, asked=True), origin).values
    if isinstance(output, Density | Synthesis):
        return no_targets(output)
    if not isinstance(output, Category):
        raise origin.error("these are words or numbers", f"the model answers with {output.kind}")
    texts = as_text(cells)
    _refuse_missing(texts, np.array([text == "" for text in texts.distinct]), origin)
    codes = [_class_of(text, output.names) for text in texts.distinct]
    strange = [t for t, code in zip(texts.distinct, codes, strict=True) if code < 0]
    if strange:
        rows = origin.these((np.array(codes) < 0)[texts.codes])
        trouble = (
            f"column {shown(cells.name)}: the model knows no class {listed(strange, 5)} ({rows})"
        )
        raise origin.error(trouble, f"it knows {listed(output.names)}")
    return torch.from_numpy(np.array(codes, np.int64)[texts.codes])


def no_targets(output: OutputField) -> Tensor:
    """Return the targets of data that has none: no rows."""
    if isinstance(output, Quantity):
        return torch.empty(0, len(output.names), dtype=torch.float64)
    return torch.empty(0, dtype=torch.int64)


def _numbers(cells: Cells, origin: Origin, *, asked: bool) -> np.ndarray | None:
    """Return the column as numbers when it is one; `asked` makes the rest an error."""
    if isinstance(cells, NumberCells):
        return cells.numbers if cells.meaning == "number" or asked else None
    values = parsed(cells, number_of)
    blank = np.isin(cells.distinct, MISSING)
    if not asked and (_padded(cells) or blank.all()):
        return None
    stray = (np.isnan(values) & ~blank)[cells.codes]
    if not asked and stray.any():
        # "0" to "9" and one rare "X" are classes; a thousand prices and one "X" are a slip.
        if not _few(values[cells.codes][~stray]):
            fits(cells, values, blank, origin, "number")
        return None
    if stray.any():
        first = int(np.flatnonzero(stray)[0])
        where = f"{origin.row(first)}, target {shown(cells.name)}"
        trouble = f"{where}: {shown(cells.distinct[cells.codes[first]])} is no number"
        raise origin.error(trouble, "leave out --task regress, or name another target")
    return values[cells.codes]


def _padded(cells: TextCells) -> bool:
    return any(len(text) > 1 and text[0] == "0" and text.isdecimal() for text in cells.distinct)


def _few(numbers: np.ndarray) -> bool:
    values = np.unique(numbers)
    if not np.isfinite(values).all() or (values != np.rint(values)).any():
        return False
    return len(values) <= 2 or len(values) <= min(MOST_CLASSES, len(numbers) / 5)


def _taken_as_classes(texts: TextCells) -> Finding:
    trouble = (
        f"target {shown(texts.name)} has {len(texts.distinct)} whole numbers, taken as classes"
    )
    return Finding("task", "note", trouble, "--task regress takes them as a quantity")


def _quantity(cells: Cells, numbers: np.ndarray | None, origin: Origin) -> Target:
    if numbers is None:
        raise origin.error(f"target {shown(cells.name)} holds no numbers", "use --task classify")
    lost = ~np.isfinite(numbers)
    if lost.any():
        trouble = f"target {shown(cells.name)} is missing or infinite in {origin.these(lost)}"
        raise origin.error(trouble, "complete these rows or remove them")
    values = torch.from_numpy(numbers.astype(np.float64)).reshape(-1, 1)
    return Target(Quantity(names=(cells.name,)), values)


def _refuse_missing(texts: TextCells, blank: np.ndarray, origin: Origin) -> None:
    lost = blank[texts.codes]
    if lost.any():
        trouble = f"target {shown(texts.name)} is missing in {origin.these(lost)}"
        raise origin.error(trouble, "complete these rows or remove them")


def _classes(texts: TextCells, origin: Origin, note: tuple[Finding, ...]) -> Target:
    names = sorted_names(texts.distinct)
    if len(names) < 2:
        trouble = f"target {shown(texts.name)} has one class only, {listed(names)}"
        raise origin.error(trouble, "add rows of another class or name another target")
    if len(names) > max(2, len(texts) / 2):
        trouble = f"target {shown(texts.name)} has {len(names)} classes in {len(texts)} rows"
        raise origin.error(trouble, "name another target, or use --task regress for numbers")
    place = {name: i for i, name in enumerate(names)}
    codes = np.array([place[text] for text in texts.distinct], np.int64)[texts.codes]
    output = Category(name=texts.name or "label", names=tuple(names))
    return Target(output, torch.from_numpy(codes), note + _remarks(names))


def _remarks(names: list[str]) -> tuple[Finding, ...]:
    tokens = [name for name in names if name in MISSING]
    if not tokens:
        return twin_findings(names)
    trouble = f"{listed(tokens)} is taken as the name of a class"
    remedy = "remove these rows if it means that the class is not known"
    return (*twin_findings(names), Finding("class-name", "warning", trouble, remedy))


def twin_findings(names: list[str]) -> tuple[Finding, ...]:
    """Return a warning for each pair of class names that a person would take for one."""
    remedy = "spell them alike if they mean the same"
    return tuple(
        Finding("class-twins", "warning", f"{shown(a)} and {shown(b)} are two classes", remedy)
        for a, b in twins(names)
    )


def _class_of(text: str, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text)
    number = number_of(text)
    equal = [i for i, name in enumerate(names) if number is not None and number_of(name) == number]
    return equal[0] if len(equal) == 1 else -1
