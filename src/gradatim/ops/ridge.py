"""Ridge regression for every penalty from one eigendecomposition."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

__all__ = ["RidgePath", "held_out_predictions", "ridge_path"]


@dataclass(frozen=True)
class RidgePath:
    """What one eigendecomposition knows of all penalties.

    `held_out` holds, for each penalty, the prediction of every row by the model fitted without it.
    """

    penalties: Float64[Tensor, " penalties"]
    weights: Float64[Tensor, "penalties features outputs"]
    bias: Float64[Tensor, "penalties outputs"]
    held_out: Float64[Tensor, "penalties rows outputs"]


def ridge_path(
    features: Float64[Tensor, "rows features"],
    targets: Float64[Tensor, "rows outputs"],
    penalties: Float64[Tensor, " penalties"],
) -> RidgePath:
    """Solve (X'X + a I) w = X't for every penalty a, the intercept not penalised.

    With X centred and X'X = V diag(l) V', w(a) = V diag(1 / (l + a)) V' X't, and the row that a
    fit leaves out is predicted by t_i - (t_i - y_i) / (1 - h_i), h_i = 1/n + sum_j (XV)_ij^2 /
    (l_j + a). A row that alone determines a direction (h_i = 1) predicts itself.

    Args:
        features: standardised.
        targets: in any units.
        penalties: positive, on the scale of the sum of squares of a feature (the row count).

    Returns:
        Weights, bias and leave-one-out predictions of each penalty.

    Source: course 000, equation (4), as a MAP estimate with an unpenalised intercept (see
    docs/equations.md); leave-one-out: Hastie, Tibshirani, Friedman 2009, equation (7.64).
    """
    mean, centre = features.mean(0), targets.mean(0)
    x, t = features - mean, targets - centre
    values, vectors = torch.linalg.eigh(x.T @ x)
    values = values.clamp_min(0)
    projected, cross = x @ vectors, vectors.T @ (x.T @ t)
    shrink = 1 / (values + penalties[:, None])
    weights = vectors @ (shrink[:, :, None] * cross)
    leverage = 1 / len(x) + shrink @ projected.square().T
    room = (1 - leverage).clamp_min(1e-9)
    held_out = targets - (t - x @ weights) / room[:, :, None]
    return RidgePath(penalties, weights, centre - mean @ weights, held_out)


def held_out_predictions(
    features: Float64[Tensor, "rows features"],
    targets: Float64[Tensor, "rows outputs"],
    shares: Float64[Tensor, " penalties"],
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[RidgePath, Float64[Tensor, "penalties held outputs"], Int64[Tensor, " held"]]:
    """Return the path of all rows, predictions of rows that did not teach, and which rows they are.

    Leaving single rows out is closed form, and right when rows are independent; groups and times
    are not, and need `splits` that keep them apart.

    Args:
        features: standardised.
        targets: in any units.
        shares: penalties divided by the row count.
        splits: pairs (train, held) of row numbers; empty leaves single rows out.
    """
    whole = ridge_path(features, targets, shares * len(features))
    if not splits:
        return whole, whole.held_out, torch.arange(len(features))
    said = []
    for train, held in splits:
        path = ridge_path(features[train], targets[train], shares * len(train))
        said.append(features[held] @ path.weights + path.bias[:, None])
    rows = torch.from_numpy(np.concatenate([held for _, held in splits]))
    return whole, torch.cat(said, 1), rows
