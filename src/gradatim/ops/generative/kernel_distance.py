"""The kernel distance: the squared maximum mean discrepancy with a cubic kernel."""

import numpy as np

from gradatim.ops.checked import finite

__all__ = ["kernel_distance"]

BLOCK = 1000
"""Rows of both clouds that are compared with each other: costs grow with its square."""


def kernel_distance(drawn: np.ndarray, real: np.ndarray) -> float:
    """Return E k(x, x') + E k(y, y') - 2 E k(x, y) with k(x, y) = (x.y / features + 1)^3.

    The estimate is unbiased: a row is never compared with itself. It is the mean over blocks of
    1000 rows, each of which is unbiased too.

    Args:
        drawn: x, features of new rows (rows, features), two rows or more.
        real: y, of rows that are there, likewise.

    Returns:
        0 on average where both come from one distribution, and then below 0 as often as above; NaN
        for fewer than two rows.

    Raises:
        ValueError: a feature is not finite.

    Source: Binkowski, Sutherland, Arbel & Gretton 2018, "Demystifying MMD GANs", section 4.

    Deviations: blocks are consecutive rows, not drawn ones.

    >>> same = np.ones((4, 3))
    >>> kernel_distance(same, same), kernel_distance(same, 0 * same)
    (0.0, 7.0)
    """
    drawn, real = finite("features", drawn), finite("features", real)
    rows = min(len(drawn), len(real))
    if rows < 2:
        return float("nan")
    # Blocks of equal size, so that each counts the same: none is left with a single row.
    blocks = -(-rows // BLOCK)
    pairs = zip(np.array_split(drawn, blocks), np.array_split(real, blocks), strict=True)
    return float(np.mean([_unbiased(x, y) for x, y in pairs]))


def _unbiased(x: np.ndarray, y: np.ndarray) -> float:
    within = _mean_of_others(_kernel(x, x)) + _mean_of_others(_kernel(y, y))
    return float(within - 2 * _kernel(x, y).mean())


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    cubic: np.ndarray = (x @ y.T / x.shape[1] + 1) ** 3
    return cubic


def _mean_of_others(kernel: np.ndarray) -> float:
    rows = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (rows * (rows - 1)))
