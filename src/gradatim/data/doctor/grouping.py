"""Groups: copies of a row are tied together, and to the group that the data gives them."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from gradatim.core.samples import Dataset

__all__ = ["Grouping", "tied"]

FOLDS = 5  # no group grows by more than one fold of so many


class Grouping(NamedTuple):
    """Groups for the splits, and how many rows were left apart since theirs would be too big."""

    groups: Tensor | None
    apart: int
    near_apart: int


def tied(dataset: Dataset, sets: np.ndarray, near: np.ndarray) -> Grouping:
    """Return groups that hold given groups, equal rows and near duplicates together.

    Rows of one given group, of one set and of one near pair are joined; groups are what hangs
    together (union-find). A join that would make a group larger than its largest given part plus
    a fifth of all rows is left out, so folds can still be filled. Without any copy, groups
    stay as given.

    Args:
        dataset: with groups or without.
        sets: of equal rows, a number for each row; all different to join none.
        near: pairs of row numbers.
    """
    given = dataset.samples.groups
    n = len(dataset)
    if len(np.unique(sets)) == n and not len(near):
        return Grouping(given, 0, 0)
    base = np.arange(n) if given is None else np.unique(given.numpy(), return_inverse=True)[1]
    first = np.unique(sets, return_index=True)[1]
    base, apart = _joined(base, np.column_stack([np.arange(n), first[sets]]))
    base, near_apart = _joined(base, near)
    if given is None and len(np.unique(base)) == n:
        return Grouping(None, apart, near_apart)
    return Grouping(torch.from_numpy(base.astype(np.int64)), apart, near_apart)


def _joined(base: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, int]:
    """Join the groups of paired rows; return the groups and how many rows stay apart."""
    n, ends = base.max() + 1, base[pairs]
    links = coo_array((np.ones(len(pairs)), (ends[:, 0], ends[:, 1])), shape=(n, n))
    _, whole = connected_components(links, directed=False)
    joined = whole[base]
    size = np.bincount(joined)
    part = np.zeros(len(size), dtype=np.int64)
    np.maximum.at(part, whole, np.bincount(base, minlength=n))
    big = ((size > part + len(base) // FOLDS) & (size > part))[joined]
    labels = np.where(big, base + len(size), joined)
    paired = np.unique(pairs[ends[:, 0] != ends[:, 1]])
    return np.unique(labels, return_inverse=True)[1], int(big[paired].sum())
