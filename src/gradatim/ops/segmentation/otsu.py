"""Otsu's thresholds: where to cut grey levels so that each part is as uniform as can be."""

import numpy as np

__all__ = ["otsu"]


def otsu(counts: np.ndarray, parts: int) -> np.ndarray:
    """Return the last level of every part but the highest.

    The thresholds maximise sum_k n_k m_k^2, n_k being how many pixels a part has and m_k their
    mean: then the variance within the parts is smallest. Of equal maxima the lowest thresholds
    are taken. All cuts are tried, by dynamic programming: O(parts levels^2).

    Args:
        counts: (levels,), how many pixels have each level.
        parts: how many parts, >= 2.

    Returns:
        (parts - 1,) levels, ascending: a pixel of level v is in part #(thresholds < v). With fewer
        levels than parts some parts are empty.

    Source: Otsu 1979; several thresholds: Liao, Chen & Chung 2001, "A fast algorithm for
        multilevel thresholding".

    >>> otsu(np.array([5, 5, 0, 0, 5, 5]), parts=2).tolist()
    [1]
    """
    levels = len(counts)
    n = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
    s = np.concatenate([[0.0], np.cumsum(counts * np.arange(levels), dtype=np.float64)])
    # gain[a, b] = n m^2 of the levels a, ..., b - 1; what is empty or upside down gains nothing.
    size, sums = n[None, :] - n[:, None], s[None, :] - s[:, None]
    gain = np.where(size > 0, sums**2 / np.maximum(size, 1.0), 0.0)
    gain[np.tril_indices(levels + 1, -1)] = -np.inf
    best, cuts = gain[0], []
    for _ in range(parts - 1):
        total = best[:, None] + gain
        cuts.append(total.argmax(0))
        best = total.max(0)
    ends, end = [], levels
    for cut in reversed(cuts):
        end = int(cut[end])
        ends.append(max(end - 1, 0))
    return np.array(ends[::-1])
