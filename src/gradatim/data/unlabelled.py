"""Data without right answers, for density and synthesis: read as labelled data is, then freed."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import (
    Category,
    Column,
    Density,
    Image,
    Signature,
    Synthesis,
    Table,
)
from gradatim.core.source import ReadOptions
from gradatim.data.naming import listed, shown

__all__ = ["UNLABELLED", "as_labelled", "grain_of", "levels_of", "without_targets"]

UNLABELLED = ("density", "synthesise")
"""Jobs that have no right answers."""
MOST_DECIMALS = 6
MOST_STEPS = 2**31
"""Steps between the least and the largest value; with more of them a column is continuous."""
MOST_LEVELS = 128


def as_labelled(options: ReadOptions) -> ReadOptions:
    """Return how a source is to read data of which the rows alone are wanted."""
    return replace(options, task=None, rows_alone=True)


def without_targets(dataset: Dataset, options: ReadOptions) -> Dataset:
    """Return the rows alone, with what the job asks for in place of targets.

    Pictures with evenly spaced levels, such as the 17 of the bundled digits, hold 0, 1, 2 ...
    afterwards. Of a table its columns of numbers stay, without a target that was named.

    Raises:
        ConfigError: neither a table nor pictures.
        DataError: no column of numbers, or a row that the model cannot read.
    """
    found = dataset.signature.input
    if not isinstance(found, Image | Table):
        trouble = f"{shown(dataset.name, 200)} holds a {found.kind} in every row"
        raise ConfigError(f"{trouble}; densities and synthesis are for tables and pictures")
    if options.signature is not None:
        return _coded(dataset, options.signature)
    if isinstance(found, Image):
        return _pictures(dataset, found, options)
    return _columns(dataset, found, options)


def _coded(dataset: Dataset, signature: Signature) -> Dataset:
    """Return rows as a fitted model reads them."""
    inputs = dataset.samples.inputs
    if isinstance(signature.output, Density | Synthesis) and isinstance(signature.input, Image):
        inputs = _levelled(inputs, signature.output.levels)
    lost = inputs.isnan() if inputs.is_floating_point() else None
    if lost is not None and lost.any():
        row = int(lost.any(1).nonzero()[0])
        where = f"{shown(dataset.name, 200)}, {dataset.row_names[row]}"
        raise DataError(f"{where}: a cell is missing; the model reads whole rows: complete it")
    return _with(dataset, inputs, signature)


def _pictures(dataset: Dataset, image: Image, options: ReadOptions) -> Dataset:
    inputs = dataset.samples.inputs
    levels = levels_of(inputs)
    output: Density | Synthesis = Density(grains=(1.0,), levels=levels)
    if options.task == "synthesise":
        output = Synthesis(names=_classes(dataset), levels=levels)
    signature = Signature(input=image, output=output)
    return _with(dataset, _levelled(inputs, levels), signature)


def _columns(dataset: Dataset, table: Table, options: ReadOptions) -> Dataset:
    cells = dataset.samples.inputs
    whole = [bool(~column.isnan().any()) for column in cells.T]
    kept = [i for i, c in enumerate(table.columns) if _usable(c) and whole[i]]
    left = [c.name for i, c in enumerate(table.columns) if i not in kept]
    if not kept:
        trouble = f"{shown(dataset.name, 200)} has no column of numbers without missing cells"
        raise DataError(f"{trouble}; {listed(left)} cannot have a density: add columns of numbers")
    cells = cells[:, kept].contiguous()
    columns = tuple(table.columns[i] for i in kept)
    output: Density | Synthesis = Density(grains=tuple(grain_of(c.numpy()) for c in cells.T))
    if options.task == "synthesise":
        output = Synthesis(names=_classes(dataset))
    signature = Signature(input=Table(columns=columns), output=output)
    freed = _with(dataset, cells, signature)
    if not left:
        return freed
    message = f"{len(left)} columns are no numbers or have missing cells: {listed(left)}"
    return freed.noting(Finding("left-out", "note", f"{message}; they are left out"))


def _usable(column: Column) -> bool:
    return column.kind == "numeric" or column.kind == "boolean"


def _classes(dataset: Dataset) -> tuple[str, ...]:
    output = dataset.signature.output
    return output.names if isinstance(output, Category) else ()


def _with(dataset: Dataset, inputs: Tensor, signature: Signature) -> Dataset:
    samples, rows = dataset.samples, len(inputs)
    targets = torch.zeros(rows, 1)
    if isinstance(signature.output, Synthesis):
        known = isinstance(dataset.signature.output, Category) and len(samples.targets) == rows
        targets = samples.targets if known else torch.zeros(rows, dtype=torch.int64)
    freed = Samples(inputs, targets, samples.groups, samples.times, samples.numbers, samples.sizes)
    return replace(dataset, samples=freed, signature=signature)


def levels_of(pictures: Tensor) -> int:
    """Return how many evenly spaced levels pictures have; 256 where they are not so few.

    Args:
        pictures: uint8; L levels are coded as k 255 / (L - 1), rounded.

    >>> levels_of(torch.tensor([0, 16, 255], dtype=torch.uint8))  # 1 / 16 of 255 is 15.9
    17
    """
    present = pictures.flatten().bincount(minlength=256).nonzero()[:, 0]
    for levels in range(2, MOST_LEVELS + 1):
        coded = (torch.arange(levels) * (255 / (levels - 1))).round().long()
        if bool(torch.isin(present, coded).all()):
            return levels
    return 256


def _levelled(pictures: Tensor, levels: int) -> Tensor:
    """Return levels coded as 0, 1, 2 ..., each picture's the nearest."""
    if levels == 256:
        return pictures
    return (pictures.float() * ((levels - 1) / 255)).round().to(torch.uint8)


def grain_of(values: np.ndarray) -> float:
    """Return the step of the grid that all values of a column lie on; 0 where there is none.

    It is the largest step with at most 6 decimals of which all differences are whole multiples.

    >>> grain_of(np.array([0.0, 2.5, 10.0])), grain_of(np.array([0.0, 1.0, 2**0.5]))
    (2.5, 0.0)
    """
    distinct = np.unique(values)
    differences = np.diff(distinct)
    for decimals in range(MOST_DECIMALS + 1):
        scaled = differences * 10.0**decimals
        if not len(scaled) or scaled.sum() > MOST_STEPS:
            return 0.0
        whole = np.rint(scaled)
        if (whole > 0).all() and np.abs(scaled - whole).max() < 1e-3:
            return float(np.gcd.reduce(whole.astype(np.int64)) / 10.0**decimals)
    return 0.0
