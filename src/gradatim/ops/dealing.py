"""Dealing rows, or whole groups of them, to folds and hold-outs: the moves behind `folds`."""

import numpy as np

__all__ = ["dealt", "dealt_groups", "held_groups", "held_rows"]


def dealt(classes: np.ndarray, folds: int, chance: np.random.Generator) -> np.ndarray:
    """Return each row's fold: rows in random order, class after class, dealt like cards."""
    shuffled = chance.permutation(len(classes))
    order = shuffled[np.argsort(classes[shuffled], kind="stable")]
    fold = np.empty(len(classes), dtype=np.int64)
    fold[order] = np.arange(len(classes)) % folds
    return fold


def dealt_groups(
    groups: np.ndarray, classes: np.ndarray, folds: int, chance: np.random.Generator
) -> np.ndarray:
    """Return each row's fold: each group goes where it adds least to the sum of squared shares.

    Adding g to F_f adds |g|^2 + 2 F_f g. An empty fold costs least, so none stays empty.
    """
    shares = _group_shares(groups, classes)
    if len(shares) < folds:
        raise ValueError(
            f"{len(shares)} groups cannot fill {folds} folds; use at most {len(shares)} folds"
        )
    shuffled = chance.permutation(len(shares))
    weight = np.sum(shares[shuffled] ** 2, axis=1)
    filled = np.zeros((folds, shares.shape[1]))
    place = np.empty(len(shares), dtype=np.int64)
    for group in shuffled[np.argsort(-weight, kind="stable")]:
        place[group] = np.argmin(filled @ shares[group])
        filled[place[group]] += shares[group]
    fold: np.ndarray = place[groups]
    return fold


def held_rows(classes: np.ndarray, size: int, chance: np.random.Generator) -> np.ndarray:
    """Return a mask of `size` rows, each class by largest remainder and never a whole class."""
    count = np.bincount(classes)
    most = count - 1
    exact = count * size / len(classes)
    quota = np.minimum(np.floor(exact).astype(np.int64), most)
    short = np.argsort(quota - exact, kind="stable")
    extra = short[quota[short] < most[short]][: size - quota.sum()]
    quota[extra] += 1
    if not quota.any():
        raise ValueError(
            f"each of the {len(count)} classes has one row, so none can be set aside; "
            "merge rare classes or split without strata"
        )
    shuffled = chance.permutation(len(classes))
    order = shuffled[np.argsort(classes[shuffled], kind="stable")]
    rank = np.arange(len(classes)) - np.repeat(np.cumsum(count) - count, count)
    held = np.empty(len(classes), dtype=np.bool_)
    held[order] = rank < np.repeat(quota, count)
    return held


def held_groups(
    groups: np.ndarray, classes: np.ndarray, share: float, chance: np.random.Generator
) -> np.ndarray:
    """Return a mask of whole groups, taken in random order while they bring the shares nearer.

    No class (nor all rows: column 0) is taken whole.
    """
    shares = _group_shares(groups, classes)
    filled = np.zeros(shares.shape[1])
    taken = np.zeros(len(shares), dtype=np.bool_)
    whole = 1 - 0.5 / len(groups)  # half a row: shares are sums of rounded quotients
    order = chance.permutation(len(shares))
    for group in order:
        after = filled + shares[group]
        if np.all(after < whole) and _miss(after, share) < _miss(filled, share):
            taken[group], filled = True, after
    if not taken.any():
        able = order[np.all(shares[order] < whole, axis=1)]
        if not len(able):
            raise ValueError(
                f"each of the {len(shares)} groups holds all rows of some class, so none can be "
                "set aside; give more groups or split without groups or strata"
            )
        taken[able[np.argmin([_miss(row, share) for row in shares[able]])]] = True
    held: np.ndarray = taken[groups]
    return held


def _group_shares(groups: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return each group's share of all rows (column 0) and of each class (the others)."""
    table: np.ndarray = np.zeros((groups.max() + 1, classes.max() + 2))
    np.add.at(table, (groups, classes + 1), 1)
    table[:, 0] = table.sum(axis=1)
    table /= table.sum(axis=0)
    return table


def _miss(filled: np.ndarray, share: float) -> float:
    """Return the squared distance of the shares taken from the share wanted."""
    return float(np.sum((filled - share) ** 2))
