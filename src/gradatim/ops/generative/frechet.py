"""The Frechet distance between two clouds of points, each taken for a Gaussian."""

import numpy as np

from gradatim.ops.checked import finite

__all__ = ["frechet_distance", "gaussian_frechet_distance"]


def frechet_distance(drawn: np.ndarray, real: np.ndarray) -> float:
    """Return the Frechet distance between the Gaussians with the moments of two clouds.

    Args:
        drawn: features of new rows (rows, features), two rows or more.
        real: of rows that are there, likewise.

    Returns:
        0 for equal moments, in squared units of the features; NaN for fewer than two rows.

    Raises:
        ValueError: a feature is not finite.

    Source: Heusel, Ramsauer, Unterthiner, Nessler & Hochreiter 2017, equation (6).

    Deviations: features of a classifier of the same data, not of Inception.

    >>> cloud = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]])
    >>> round(frechet_distance(cloud + 2, cloud), 9)
    8.0
    """
    drawn, real = finite("features", drawn), finite("features", real)
    if min(len(drawn), len(real)) < 2:
        return float("nan")
    return gaussian_frechet_distance(
        drawn.mean(0), np.cov(drawn, rowvar=False), real.mean(0), np.cov(real, rowvar=False)
    )


def gaussian_frechet_distance(
    mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray, other: np.ndarray
) -> float:
    """Return |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), in float64.

    S1 S2 has the eigenvalues of the symmetric R S2 R with R R = S1. So no root of an unsymmetric
    matrix is needed, which is complex by rounding where features are constant.

    Args:
        mean: m1.
        covariance: S1, which may be singular.
        other_mean: m2.
        other: S2.

    Source: Dowson & Landau 1982, "The Frechet distance between multivariate normal distributions".

    >>> gaussian_frechet_distance(np.zeros(2), np.eye(2), np.zeros(2), 4 * np.eye(2))
    2.0
    """
    covariance, other = np.atleast_2d(covariance), np.atleast_2d(other)
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    common = np.linalg.eigvalsh(root @ other @ root).clip(0)
    apart = np.square(mean - other_mean).sum()
    traces = np.trace(covariance) + np.trace(other)
    return float(max(0.0, apart + traces - 2 * np.sqrt(common).sum()))
