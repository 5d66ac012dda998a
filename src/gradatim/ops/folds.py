"""Which rows teach and which rows judge: folds and hold-outs as index arrays.

Strata keep class shares, groups stay whole, time runs forward. The same arguments always give the
same split, and `split_hash` names it.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from gradatim.ops.dealing import dealt, dealt_groups, held_groups, held_rows

__all__ = ["Labels", "Split", "holdout", "kfold", "split_hash"]

Labels = Sequence[object] | np.ndarray
Split = tuple[np.ndarray, np.ndarray]


def kfold(
    n: int,
    folds: int,
    seed: int,
    strata: Labels | None = None,
    groups: Labels | None = None,
    times: Labels | None = None,
) -> list[Split]:
    """Return the folds of a cross-validation.

    Without times every row validates once: V_1 u ... u V_k = {0..n-1}, T_i = the rest. With times
    k + 1 blocks B_0 < ... < B_k in order of time: T_i = B_0 u ... u B_{i-1}, V_i = B_i.

    Args:
        n: rows, >= folds.
        folds: k, >= 2.
        seed: the split is a function of it; times alone decide when they are given.
        strata: a class for each row: each class differs by at most one row between folds, and so
            does a fold's size. A class with fewer than k rows goes to as many folds as it has rows.
        groups: a label for each row: no group is on both sides. Groups are dealt out greedily,
            the weightiest first, to even out sizes and, given strata, class shares.
        times: a moment for each row (numbers, dates or sortable text): nothing teaches its past,
            and equal times stay together. Order decides alone, so strata are then not used.

    Returns:
        k pairs (train, validation) of sorted int64 row numbers, none of them empty. With times,
        or groups of uneven size, n_test / n_train differs from fold to fold.

    Raises:
        ValueError: too few rows, groups or moments; labels that do not fit or are missing; groups
            and times together.

    Source:
        Kohavi 1995 (stratified); `sklearn.model_selection.StratifiedGroupKFold` (greedy groups);
        Bergmeir & Benitez 2012 (forward chaining).

    Deviations:
        Equal times never straddle a cut, unlike scikit-learn's `TimeSeriesSplit`.

    >>> for train, validation in kfold(6, 3, seed=0, strata=[0, 0, 0, 1, 1, 1]):
    ...     print(len(train), len(validation))
    4 2
    4 2
    4 2
    >>> train, validation = kfold(6, 2, seed=0, times=[5, 4, 3, 2, 1, 0])[0]
    >>> train.tolist(), validation.tolist()
    ([4, 5], [2, 3])
    """
    _one_order(groups, times)
    if folds < 2:
        raise ValueError(f"folds is {folds}; validate on 2 or more, or use a hold-out")
    if n < folds:
        raise ValueError(f"{n} rows cannot fill {folds} folds; use at most {n} folds or more data")
    if times is not None:
        return _forward(_codes("times", times, n), folds)
    classes = _codes("strata", strata, n)
    if groups is None:
        fold = dealt(classes, folds, _chance(seed))
    else:
        fold = dealt_groups(_codes("groups", groups, n), classes, folds, _chance(seed))
    return [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(folds)]


def holdout(
    n: int,
    share: float,
    seed: int,
    strata: Labels | None = None,
    groups: Labels | None = None,
    times: Labels | None = None,
) -> Split:
    """Return rows to learn from and rows to set aside.

    |held| = round(share n), at least one and at most n - 1.

    Args:
        n: rows, >= 2.
        share: what to set aside, in (0, 1).
        seed: the split is a function of it; times alone decide when they are given.
        strata: a class for each row: each class gives its part of the held rows to within
            one and keeps one or more to learn from, so a class of one row is never set aside and
            fewer rows than asked for may be.
        groups: a label for each row: groups stay whole, so the share is met as nearly as they
            allow. Given strata too, classes' shares count as much as the size.
        times: a moment for each row: the last share is set aside, equal times together. Order
            decides alone, so strata are then not used.

    Returns:
        (train, held), sorted int64 row numbers, neither of them empty.

    Raises:
        ValueError: as in `kfold`, `share` outside (0, 1), or groups or classes that leave nothing
            to set aside.

    Source:
        `sklearn.model_selection.StratifiedShuffleSplit`, `GroupShuffleSplit`.

    Deviations:
        Groups are taken until the share of rows is met; scikit-learn takes a share of the groups.

    >>> train, held = holdout(10, 0.2, seed=0, times=range(10))
    >>> held.tolist()
    [8, 9]
    """
    _one_order(groups, times)
    if not 0 < share < 1:
        raise ValueError(f"share is {share}; set aside a part between 0 and 1, such as 0.2")
    if n < 2:
        raise ValueError(f"{n} rows cannot be split in two; 2 are needed, many more to be of use")
    size = min(max(round(share * n), 1), n - 1)
    if times is not None:
        train, later = _blocks(_codes("times", times, n), [n - size])
        return train, later
    classes = _codes("strata", strata, n)
    if groups is None:
        held = held_rows(classes, size, _chance(seed))
    else:
        held = held_groups(_codes("groups", groups, n), classes, size / n, _chance(seed))
    return np.flatnonzero(~held), np.flatnonzero(held)


def split_hash(parts: Iterable[np.ndarray]) -> str:
    """Return a name for a split that changes with any row of it.

    sha256 over type, shape and little-endian bytes of each part, in order.

    Args:
        parts: arrays of numbers, such as each fold's train and validation rows.

    Returns:
        64 hexadecimal digits, the same on every machine.

    Raises:
        ValueError: an array of Python objects, whose bytes are addresses.

    Source:
        FIPS 180-4.

    Deviations:
        None.

    >>> split_hash([np.array([0, 1]), np.array([2])])[:8]
    '190f0aa2'
    """
    digest = hashlib.sha256()
    for part in parts:
        if part.dtype.hasobject:
            raise ValueError("an array of Python objects has no stable bytes; pass row numbers")
        little = part.astype(part.dtype.newbyteorder("<"))
        digest.update(f"{little.dtype.str}{little.shape}".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()


def _chance(seed: int) -> np.random.Generator:
    """Return the generator that a split is a function of."""
    return np.random.Generator(np.random.PCG64(seed))


def _one_order(groups: Labels | None, times: Labels | None) -> None:
    """Raise when groups and times are both given."""
    if groups is not None and times is not None:
        raise ValueError(
            "groups and times cannot both rule a split: a group may span the cut; choose one"
        )


def _codes(name: str, labels: Labels | None, n: int) -> np.ndarray:
    """Return labels as ranks 0, 1, ... of their sorted values; all zero for no labels."""
    if labels is None:
        return np.zeros(n, dtype=np.int64)
    values = np.asarray(labels)
    if values.shape != (n,):
        raise ValueError(f"{name} has shape {values.shape}; give one label for each of {n} rows")
    lost = sum(value is None for value in values) if values.dtype.hasobject else 0
    lost += int(np.count_nonzero(values != values))  # NaN and NaT alone differ from themselves
    if lost:
        raise ValueError(f"{name} is missing in {lost} of {n} rows; fill it in or drop the rows")
    try:
        return np.unique(values, return_inverse=True)[1].astype(np.int64)
    except TypeError as error:
        raise ValueError(f"{name} mixes types that have no order; make them all text") from error


def _forward(codes: np.ndarray, folds: int) -> list[Split]:
    """Return the forward chain: all blocks so far teach, the next one judges."""
    wanted = [round(len(codes) * i / (folds + 1)) for i in range(1, folds + 1)]
    blocks = _blocks(codes, wanted)
    return [(np.sort(np.concatenate(blocks[:i])), blocks[i]) for i in range(1, folds + 1)]


def _blocks(codes: np.ndarray, wanted: Sequence[int]) -> list[np.ndarray]:
    """Return blocks of rows in order of time, cut near `wanted` where the time changes."""
    order = np.argsort(codes, kind="stable")
    changes = np.flatnonzero(np.diff(codes[order])) + 1
    if len(changes) < len(wanted):
        raise ValueError(
            f"{len(changes) + 1} different times cannot make {len(wanted) + 1} blocks; "
            "give finer times or ask for fewer blocks (folds + 1, or 2 for a hold-out)"
        )
    cuts: list[int] = []
    first = 0
    for left, place in enumerate(wanted):
        last = len(changes) - (len(wanted) - 1 - left)
        first += int(np.argmin(np.abs(changes[first:last] - place))) + 1
        cuts.append(int(changes[first - 1]))
    return [np.sort(block) for block in np.split(order, cuts)]
