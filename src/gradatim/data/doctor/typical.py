"""How near the nearest neighbour usually is, and how near is suspicious."""

import numpy as np

__all__ = ["radius"]

ASKED = 500  # rows whose neighbours are looked up; the median of 500 is good to a few percent
EXPECTED = 0.1


def radius(features: np.ndarray, most: float) -> float:
    """Return the distance within which two rows are near duplicates.

    min(most, (0.1 / rows)^(1 / m)) * typical; see `gradatim.data.doctor.neighbours`.

    Args:
        features: one distinct row each; three or more.
        most: upper bound of the share of the typical distance.

    Returns:
        A distance; 0 when there are no features, or when most rows have equal ones.
    """
    if not features.shape[1]:
        return 0.0
    nearest, second = _two_nearest(features)
    typical = float(np.median(nearest))
    apart = nearest > 0
    if not typical or not apart.any():
        return 0.0
    growth = float(np.mean(np.log(second[apart] / nearest[apart])))
    share = (EXPECTED / len(features)) ** min(growth, 1.0)  # growth = 1 / m, and m >= 1
    return min(most, share) * typical


def _two_nearest(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances of up to 500 rows to their two nearest neighbours."""
    asked = np.unique(np.linspace(0, len(features) - 1, ASKED).astype(np.int64))
    squares = np.einsum("ij,ij->i", features, features)
    square = squares[asked, None] + squares - 2 * features[asked] @ features.T
    square[np.arange(len(asked)), asked] = np.inf
    two = np.partition(square, 1, axis=1)[:, :2]
    # Below this the difference of squares is rounding, and the rows count as equal.
    noise = 16 * np.finfo(features.dtype).eps * squares[asked, None]
    distance = np.sqrt(np.where(two > noise, two, 0))
    return distance[:, 0], distance[:, 1]
