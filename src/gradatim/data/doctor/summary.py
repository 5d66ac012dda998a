"""The summary of a data set, ready for JSON."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from torch import Tensor

from gradatim.core.samples import Dataset
from gradatim.core.signature import (
    Column,
    Game,
    Image,
    Quantity,
    Series,
    Sound,
    Synthesis,
    Text,
    Translation,
)
from gradatim.data.doctor.twins import equal_sets, first_rows
from gradatim.data.doctor.view import cells, class_names, columns, open_rows, targets

__all__ = ["inspection"]

LISTED = 1_000  # columns, channels, and classes
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def inspection(dataset: Dataset) -> dict[str, Any]:
    """Return what `gradatim inspect --json` prints.

    At most 1,000 columns, channels and classes are listed; `truncated` then says how many there
    are. Targets are summed up outside the data's own test part alone.
    """
    groups = dataset.samples.groups
    return {
        "name": dataset.name,
        "source": dataset.source,
        "fingerprint": dataset.fingerprint,
        "rows": len(dataset),
        "sealed": len(dataset) - len(open_rows(dataset)),
        "groups": None if groups is None else len(np.unique(groups.numpy())),
        "timed": dataset.samples.times is not None,
        "duplicates": _duplicates(dataset),
        "input": _input(dataset),
        "target": _target(dataset),
        "truncated": _truncated(dataset),
        "findings": [asdict(finding) | {"rows": [*finding.rows]} for finding in dataset.findings],
    }


def _duplicates(dataset: Dataset) -> int:
    """Return how many rows repeat an earlier one."""
    return len(dataset) - len(first_rows(equal_sets(dataset))) if len(dataset) else 0


def _input(dataset: Dataset) -> dict[str, Any]:
    field = dataset.signature.input
    if isinstance(field, Image | Sound | Game):
        return field.model_dump(mode="json")
    if isinstance(field, Text):
        return _text(field, dataset.samples.inputs)
    if isinstance(field, Series):
        return field.model_dump() | {"ranges": _ranges(field, dataset)}
    listed = zip(field.columns[:LISTED], cells(dataset).T, strict=False)
    return {"kind": "table", "columns": [_column(column, values) for column, values in listed]}


def _text(field: Text | Translation, rows: Tensor) -> dict[str, Any]:
    """Return a text in numbers; its alphabet may be as long as Unicode."""
    lengths = (rows >= 0).sum(1)
    return {
        "kind": field.kind,
        "language": field.language,
        "characters": int(lengths.sum()),
        "different_characters": len(field.alphabet),
        "shortest": int(lengths.min()) if len(rows) else 0,
        "longest": int(lengths.max()) if len(rows) else 0,
    }


def _ranges(field: Series, dataset: Dataset) -> list[dict[str, float]]:
    """Return the channels in numbers, over all rows and steps."""
    channels = dataset.samples.inputs.numpy().reshape(-1, field.channels).T[:LISTED]
    return [_range(values) for values in channels]


def _range(values: np.ndarray) -> dict[str, float]:
    largest = max(float(np.abs(values).max()), np.finfo(np.float64).tiny)
    mean = float(np.mean(values / largest)) * largest  # a sum of 1e308s would overflow
    return {"minimum": float(values.min()), "maximum": float(values.max()), "mean": mean}


def _column(column: Column, values: np.ndarray) -> dict[str, Any]:
    """Return a column in numbers; a category has no least, greatest and mean value."""
    present = values[~np.isnan(values)]
    row: dict[str, Any] = {"name": column.name, "kind": column.kind}
    row |= {"missing": len(values) - len(present), "distinct": len(np.unique(present))}
    if column.kind == "category" or not len(present):
        return row | {"minimum": None, "maximum": None, "mean": None}
    numbers = _range(present)
    return row | {key: _day(x) if column.kind == "date" else x for key, x in numbers.items()}


def _day(days: float) -> str | float:
    """Return days since 1970 as an ISO date with time; beyond the calendar, the number."""
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)).isoformat()
    except OverflowError:
        return days


def _target(dataset: Dataset) -> dict[str, Any]:
    field, answers, rows = dataset.signature.output, targets(dataset), open_rows(dataset)
    known = None if answers is None or not len(rows) else answers[rows]
    if names := class_names(dataset):
        codes = np.empty(0, np.int64) if known is None else known[:, 0].astype(np.int64)
        counts = np.bincount(codes[codes >= 0], minlength=len(names)).tolist()
        listed = zip(names[:LISTED], counts, strict=False)
        classes = [{"name": name, "count": count} for name, count in listed]
        return {"kind": "category", "name": getattr(field, "name", "label"), "classes": classes}
    if isinstance(field, Translation):
        return _text(field, dataset.samples.targets)
    if isinstance(field, Synthesis) and field.names:
        return _synthesis(field, dataset)
    if not isinstance(field, Quantity):
        return field.model_dump(mode="json")
    quantiles = [None] * len(field.names) if known is None else _quantiles(known)
    both = zip(field.names, quantiles, strict=True)
    return {"kind": "quantity", "quantities": [{"name": n, "quantiles": q} for n, q in both]}


def _synthesis(field: Synthesis, dataset: Dataset) -> dict[str, Any]:
    """Return how many rows of each class there are to draw others like them."""
    known = len(dataset.samples.targets) == len(dataset)
    codes = dataset.samples.targets.numpy()[open_rows(dataset)] if known else np.empty(0, np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=len(field.names)).tolist()
    listed = zip(field.names[:LISTED], counts, strict=False)
    classes = [{"name": name, "count": count} for name, count in listed]
    return {"kind": field.kind, "levels": field.levels, "classes": classes}


def _quantiles(values: np.ndarray) -> list[Any]:
    """Return minimum, quartiles and maximum of each quantity."""
    rows = np.quantile(values, QUANTILES, axis=0).T
    keys = ("minimum", "lower_quartile", "median", "upper_quartile", "maximum")
    return [dict(zip(keys, map(float, row), strict=True)) for row in rows]


def _truncated(dataset: Dataset) -> list[str]:
    field = dataset.signature.input
    counts = {"columns": len(columns(dataset)), "classes": len(class_names(dataset))}
    counts |= {"channels": field.channels} if isinstance(field, Series) else {}
    over = {what: count for what, count in counts.items() if count > LISTED}
    return [f"{LISTED:,} of {count:,} {what} are listed" for what, count in over.items()]
