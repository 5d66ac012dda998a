"""The split of a data set: a sealed test part, and the folds that every rung shares."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import Category
from gradatim.ops.folds import holdout, kfold, split_hash

__all__ = ["Fold", "Partition", "partition", "thinned"]

TEST_SHARE = 0.2


@dataclass(frozen=True)
class Fold:
    """Row numbers of the data to learn from and to validate on."""

    repeat: int
    fold: int
    training: np.ndarray
    validation: np.ndarray

    @property
    def name(self) -> str:
        """Return a name for files: repeat and fold, from 0."""
        return f"{self.repeat}-{self.fold}"


@dataclass(frozen=True)
class Partition:
    """Training rows with their folds, and the sealed test rows; `hash` names it all."""

    training: np.ndarray
    test: np.ndarray
    folds: tuple[Fold, ...]

    @property
    def hash(self) -> str:
        """Return 64 hexadecimal digits that change with any row of the split."""
        parts = [self.training, self.test]
        return split_hash(parts + [p for f in self.folds for p in (f.training, f.validation)])

    @property
    def ratio(self) -> float:
        """Return the mean of validation rows / training rows over the folds."""
        return float(np.mean([len(f.validation) / len(f.training) for f in self.folds]))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything under the names of docs/decisions/0002."""
        parts = {"training": self.training, "test": self.test}
        for fold in self.folds:
            parts[f"train_{fold.repeat}_{fold.fold}"] = fold.training
            parts[f"validation_{fold.repeat}_{fold.fold}"] = fold.validation
        return parts


def partition(
    data: Dataset, folds: int = 5, repeats: int = 1, seed: int = 0
) -> tuple[Dataset, Partition]:
    """Seal a test part, then cut the rest into folds.

    The test part is the data's own, or 20 %: stratified by class, whole groups, or last in time.
    A class with fewer training rows than folds lowers the number of folds, with a finding.

    Args:
        data: with groups or times when rows depend on each other.
        folds: wanted, at least 2.
        repeats: how often the folds are drawn anew.
        seed: of the run.

    Returns:
        The data, with a finding when folds were lowered, and the partition.

    Raises:
        ConfigError: repeats of folds in time, which would all be equal.
        DataError: too few rows, groups or members of a class.
    """
    samples = data.samples
    if samples.times is not None and repeats > 1:
        raise ConfigError("folds in time can be drawn in one way only; use --repeats 1")
    try:
        _check_classes(data)
        training, test = _sealed(data, seed)
        inner = samples.take(training)
        data, folds = _affordable(data, inner, folds)
        cuts = [
            Fold(r, f, training[learn], training[check])
            for r in range(repeats)
            for f, (learn, check) in enumerate(
                kfold(len(inner), folds, seed + r, **_labels(inner, data))
            )
        ]
    except ValueError as error:
        if isinstance(error, (ConfigError, DataError)):
            raise
        raise DataError(f"{data.name} cannot be split: {error}") from error
    return data, Partition(training, test, tuple(cuts))


def thinned(data: Dataset, rows: int | None) -> Dataset:
    """Return the data with only `rows` of the rows to learn from, classes in proportion.

    Rows of the data's own test part are all kept. Which rows stay is a function of the data alone,
    so that fits with different seeds see the same ones.

    Raises:
        ConfigError: fewer than ten rows are asked for.
    """
    sealed = data.sealed if data.sealed is not None else torch.zeros(len(data), dtype=torch.bool)
    open_rows = np.flatnonzero(~sealed.numpy())
    if rows is None or rows >= len(open_rows):
        return data
    if rows < 10:
        raise ConfigError(f"--rows {rows} is too few to compare anything; give at least 10")
    part = data.samples.take(open_rows)
    # Groups stay together in every split; to draw from them, they need not be whole.
    labels = _labels(part, data) | {"groups": None}
    drawn = holdout(len(part), rows / len(part), 0, **labels)[1]
    kept = np.sort(np.concatenate([open_rows[drawn], np.flatnonzero(sealed.numpy())]))
    return replace(
        data,
        samples=data.samples.take(kept),
        row_names=[data.row_names[i] for i in kept],
        sealed=None if data.sealed is None else data.sealed[kept],
    )


def _labels(samples: Samples, data: Dataset) -> dict[str, np.ndarray | None]:
    categories = isinstance(data.signature.output, Category)
    timed = samples.times is not None
    return {
        "strata": samples.targets.numpy() if categories and not timed else None,
        "groups": None if samples.groups is None or timed else samples.groups.numpy(),
        "times": samples.times.numpy() if samples.times is not None else None,
    }


def _sealed(data: Dataset, seed: int) -> tuple[np.ndarray, np.ndarray]:
    if data.sealed is not None:
        sealed = data.sealed.numpy()
        return np.flatnonzero(~sealed), np.flatnonzero(sealed)
    return holdout(len(data), TEST_SHARE, seed, **_labels(data.samples, data))


def _counts(data: Dataset, samples: Samples) -> np.ndarray:
    return np.bincount(samples.targets.numpy(), minlength=data.signature.outputs)


def _check_classes(data: Dataset) -> None:
    if len(data) < 10:
        raise DataError(f"{data.name} has {len(data)} rows; a comparison needs at least 10")
    if not isinstance(data.signature.output, Category):
        return
    counts = _counts(data, data.samples)
    rare = [n for n, c in zip(data.signature.output.names, counts, strict=True) if c < 3]
    if rare:
        raise DataError(
            f"{data.name}: too few rows of {', '.join(map(repr, rare[:5]))}"
            f"{' and others' if len(rare) > 5 else ''}: a class needs 3 (test and two folds); "
            "gather more, or merge or drop the class"
        )


def _affordable(data: Dataset, inner: Samples, folds: int) -> tuple[Dataset, int]:
    """Return how many folds the groups and the smallest class can fill, with a finding if fewer."""
    if inner.times is not None:
        return data, folds
    for count, what, remedy in _limits(data, inner):
        if count < folds:
            fewer = max(2, count)
            text = f"{what}, so {fewer} folds are used, not {folds}"
            data, folds = data.noting(Finding("fewer-folds", "warning", text, remedy)), fewer
    return data, folds


def _limits(data: Dataset, inner: Samples) -> Iterator[tuple[int, str, str]]:
    """Yield how many folds each kind of row allows, why, and what would allow more."""
    if inner.groups is not None:
        count = len(inner.groups.unique())
        yield count, f"there are {count} groups to learn from", "gather rows of more groups"
    if isinstance(data.signature.output, Category):
        counts = _counts(data, inner)
        name, count = data.signature.output.names[int(counts.argmin())], int(counts.min())
        remedy = "gather more rows of it, or merge it with another class"
        yield count, f"class {name!r} has {count} training rows", remedy
