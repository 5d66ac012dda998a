"""Near duplicates: rows much closer than chance lets neighbours come.

Two rows are near duplicates when d(a, b) <= share * typical, where

    typical = median distance of a row to its nearest neighbour,
    share = min(most, (0.1 / rows)^(1 / m)),    m = 1 / mean(log(d_2 / d_1)),

d_1 and d_2 are a row's distances to its two nearest neighbours and m is the dimension that the
rows fill. In rows spread smoothly over m dimensions, a neighbour at `share` times the median
distance is expected in less than 0.1 rows of the whole data, so neighbours by chance are not
flagged, whether there are 2 columns or 200.

Tables: d is Euclidean over standardised numbers and dates (missing cells take the median);
categories, booleans and the pattern of missing cells must be equal; most = 1e-3. Sequences:
as a table with a number for each step and channel. Pictures: see `gradatim.data.doctor.thumbnails`.

Fails when: more than half of the rows have a near copy: then such distances are typical.

Source: the dimension is that of Facco et al. 2017, "Estimating the intrinsic dimension of datasets
by a minimal neighborhood information", with the mean in place of the fit.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial import cKDTree

from gradatim.core.samples import Dataset
from gradatim.core.signature import Game, Sound, Text
from gradatim.data.doctor.thumbnails import picture_pairs
from gradatim.data.doctor.twins import first_rows, sets_of
from gradatim.data.doctor.typical import radius
from gradatim.data.doctor.view import cells, columns, pictures

__all__ = ["Neighbours", "neighbours"]

CAP, RUN = 20_000, 1_000
MOST = 1e-3
FLAT = 6
ROUNDING = 64 * np.finfo(np.float64).eps


class Neighbours(NamedTuple):
    """Pairs of near duplicates as row numbers, shape (pairs, 2), and how many rows were seen."""

    pairs: np.ndarray
    seen: int
    usual: bool = False


def neighbours(dataset: Dataset, sets: np.ndarray) -> Neighbours:
    """Return the near duplicates among distinct rows.

    Of more than 20,000 distinct rows, 20 runs of 1,000 that are spread over the data are seen. More
    pairs than distinct rows are no copies but the nature of the data: `usual`, and no pairs.
    """
    rows = _runs(first_rows(sets))
    if len(rows) < 3:
        return Neighbours(np.empty((0, 2), dtype=np.int64), len(rows))
    if isinstance(dataset.signature.input, Game | Sound | Text):
        # One voice is near itself, and so is one language; seeds have no distance at all. Only
        # what is equal is a copy.
        return Neighbours(np.empty((0, 2), dtype=np.int64), len(first_rows(sets)))
    planes = pictures(dataset)
    if planes is not None:
        pairs = picture_pairs(planes, torch.from_numpy(rows))
    else:
        pairs = _table_pairs(dataset, rows)
    if pairs is None:
        return Neighbours(np.empty((0, 2), dtype=np.int64), len(rows), usual=True)
    return Neighbours(rows[pairs], len(rows))


def _runs(rows: np.ndarray) -> np.ndarray:
    """Return at most 20,000 rows, in runs, for copies often lie side by side."""
    if len(rows) <= CAP:
        return rows
    starts = np.linspace(0, len(rows) - RUN, CAP // RUN).astype(np.int64)
    return rows[(starts[:, None] + np.arange(RUN)).ravel()]


def _table_pairs(dataset: Dataset, rows: np.ndarray) -> np.ndarray | None:
    """Return pairs of places in `rows`, or None for more pairs than rows."""
    table = cells(dataset)[rows]
    kinds = [c.kind for c in columns(dataset)] or ["numeric"] * table.shape[1]  # of sequences
    numeric = np.array([kind in ("numeric", "date") for kind in kinds])
    features = _standardised(table[:, numeric])
    if not (reach := radius(features, MOST)):
        return np.empty((0, 2), dtype=np.int64)
    rest = np.column_stack([table[:, ~numeric], np.isnan(table[:, numeric])])
    apart = 4 * reach * sets_of(rest)  # rows that differ elsewhere are moved out of reach
    tree = cKDTree(np.column_stack([_flattened(features), apart]))
    wide = 1.001 * reach  # rounding of the projection
    if tree.count_neighbors(tree, wide) > 11 * len(rows):  # itself, and 5 pairs a row twice
        return None
    pairs = tree.query_pairs(wide, output_type="ndarray").astype(np.int64)
    distance = np.linalg.norm(features[pairs[:, 0]] - features[pairs[:, 1]], axis=1)
    pairs = pairs[distance <= reach]
    return pairs if len(pairs) <= len(rows) else None


def _flattened(features: np.ndarray) -> np.ndarray:
    """Return features projected onto at most 6 orthogonal directions, where trees are fast.

    A projection brings no rows apart, so no near pair is lost.
    """
    chance = np.random.Generator(np.random.PCG64(0))
    basis = np.linalg.qr(chance.standard_normal((features.shape[1], FLAT)))[0]
    return features if features.shape[1] <= FLAT else features @ basis


def _standardised(numbers: np.ndarray) -> np.ndarray:
    """Return the numbers that vary, with mean 0 and standard deviation 1."""
    numbers = numbers[:, ~np.isnan(numbers).all(0)]
    if not numbers.shape[1]:
        return numbers
    numbers = np.where(np.isnan(numbers), np.nanmedian(numbers, axis=0), numbers)
    unit = numbers / np.maximum(np.abs(numbers).max(0), np.finfo(np.float64).tiny)
    spread = unit.std(0)
    varies = spread > ROUNDING
    return (unit - unit.mean(0))[:, varies] / spread[varies]
