"""Twins: rows whose inputs are exactly equal."""

import hashlib
from math import log

import numpy as np

from gradatim.core.samples import Dataset
from gradatim.core.signature import Game, Sound, Text
from gradatim.data.doctor.view import cells, columns, pictures

__all__ = ["coarse", "equal_sets", "first_rows", "twin_rows"]

# Equal rows are normal when more than this share of rows has a twin ...
USUAL = 0.5
# ... and the columns allow at most this many different rows for each row there is.
ROOM = 10


def equal_sets(dataset: Dataset) -> np.ndarray:
    """Return the number of each row's set of equal rows, counted in order of appearance.

    Missing cells equal each other, and -0.0 equals 0.0. Rows are compared by their 128-bit
    BLAKE2b digest, which takes one pass and no copy of the pictures.
    """
    if isinstance(dataset.signature.input, Game | Sound | Text):
        rows = dataset.samples.inputs.numpy()
    else:
        planes = pictures(dataset)
        rows = cells(dataset) if planes is None else planes.numpy()
    return sets_of(rows.reshape(len(rows), -1))


def sets_of(rows: np.ndarray) -> np.ndarray:
    """Return the number of each row's set of rows with equal bytes, in order of appearance."""
    if not rows.shape[1]:
        return np.zeros(len(rows), dtype=np.int64)
    data = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)
    digests = b"".join([hashlib.blake2b(row.data, digest_size=16).digest() for row in data])
    _, first, sets = np.unique(
        np.frombuffer(digests, dtype="V16"), return_index=True, return_inverse=True
    )
    place = np.empty_like(first)
    place[np.argsort(first)] = np.arange(len(first))
    return place[sets]


def first_rows(sets: np.ndarray) -> np.ndarray:
    """Return the first row of each set."""
    return np.unique(sets, return_index=True)[1]


def twin_rows(sets: np.ndarray) -> np.ndarray:
    """Return the rows that have a twin, set after set."""
    order = np.argsort(sets, kind="stable")
    return order[np.bincount(sets)[sets[order]] > 1]


def coarse(dataset: Dataset, sets: np.ndarray) -> int:
    """Return how many different rows a coarse table allows; 0 when it is not coarse.

    A table is coarse when more than half of its rows have a twin and the product of its columns'
    numbers of distinct values is at most 10 times the number of rows: three yes-no columns can
    hold no more than 8 different rows, so equality says nothing about copying. A fine table that
    was pasted together twice has room for far more, and its twins are copies.
    """
    if not columns(dataset) or len(twin_rows(sets)) <= USUAL * len(sets):
        return 0
    distinct = [len(np.unique(column)) for column in cells(dataset)[first_rows(sets)].T]
    room = sum(log(count) for count in distinct)
    return round(np.exp(room)) if room <= log(ROOM * len(sets)) + 1e-9 else 0
