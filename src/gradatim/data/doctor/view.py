"""How the doctor sees a data set: plain arrays, and short lists of names for people."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import torch

from gradatim.core.samples import Dataset
from gradatim.core.signature import Category, Column, Image, Picture, Quantity, Table

__all__ = ["cells", "class_names", "columns", "counted", "listing", "names", "open_rows"]
__all__ += ["pictures", "shown", "targets"]

SHOWN = 5  # rows or columns that a message names


def columns(dataset: Dataset) -> tuple[Column, ...]:
    """Return the columns of a table; none for pictures and sequences."""
    field = dataset.signature.input
    return field.columns if isinstance(field, Table) else ()


def cells(dataset: Dataset) -> np.ndarray:
    """Return the cells of a table, float64 of shape (rows, columns).

    The numbers of a sequence, step after step, are taken as columns. What is not finite is NaN.
    """
    values = dataset.samples.inputs.detach().numpy().astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    values = values.reshape(len(values), -1)
    return values + 0.0  # -0.0 becomes 0.0: equal numbers get equal bytes


def pictures(dataset: Dataset) -> torch.Tensor | None:
    """Return pictures as bytes, the clean ones where some are noisy; None for other data."""
    if not isinstance(dataset.signature.input, Image):
        return None
    if not isinstance(dataset.signature.output, Picture):
        return dataset.samples.inputs
    known = len(dataset.samples.targets) == len(dataset)
    planes = dataset.samples.targets if known else dataset.samples.inputs
    return planes.round().clamp(0, 255).to(torch.uint8)


def targets(dataset: Dataset) -> np.ndarray | None:
    """Return targets of shape (rows, outputs), classes as codes.

    None for data without answers, and for answers that are no words and no numbers.
    """
    given, plain = dataset.samples.targets, (Category, Quantity)
    if len(given) != len(dataset) or not isinstance(dataset.signature.output, plain):
        return None
    return given.detach().to(torch.float64).reshape(len(given), -1).numpy()


def class_names(dataset: Dataset) -> tuple[str, ...]:
    """Return the names of the classes; none for quantities."""
    field = dataset.signature.output
    return field.names if isinstance(field, Category) else ()


def open_rows(dataset: Dataset) -> np.ndarray:
    """Return the numbers of the rows outside the data's own test part."""
    if dataset.sealed is None:
        return np.arange(len(dataset))
    return np.flatnonzero(~dataset.sealed.numpy().astype(np.bool_))


def names(dataset: Dataset, rows: Iterable[int]) -> tuple[str, ...]:
    """Return the names of the first few rows."""
    return tuple(str(dataset.row_names[int(row)]) for row in islice(rows, SHOWN))


def shown(columns: Sequence[Column], which: Iterable[int]) -> str:
    """Return the names of a few columns, quoted."""
    return listing([f'"{columns[int(i)].name}"' for i in which])


def counted(count: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listing(items: Sequence[str]) -> str:
    """Return the first few items as text, and how many more there are.

    >>> listing(["a", "b"])
    'a, b'
    >>> listing(list("abcdefg"))
    'a, b, c, d, e and 2 more'
    """
    more = len(items) - SHOWN
    return ", ".join(items[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")
