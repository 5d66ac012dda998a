"""Linear support vector machines on many dense rows, some of them at once."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from torch import Tensor

__all__ = ["linear_machines"]


def linear_machines(
    features: Float[Tensor, "rows features"],
    signs: Float[Tensor, "rows machines"],
    cost: float,
    tolerance: float = 1e-5,
) -> Float[Tensor, "features machines"]:
    """Return the weights w of machines without a bias; each minimises its own objective.

    |w|^2 / 2 + C sum_i max(0, 1 - y_i w'x_i)^2, by L-BFGS.

    Args:
        features: x_i; give a column of ones where a bias is wanted.
        signs: y_i of each machine, 1 or -1.
        cost: C > 0.
        tolerance: largest entry of the gradient per row at which a solution is good enough; 500
            steps end it too.

    Source:
        Fan et al. 2008, "LIBLINEAR", the L2-loss machine; `sklearn.svm.LinearSVC`.

    Deviations:
        None; products are as exact as the features (float32 halves the memory and the time).
    """
    rows, shape = len(features), (features.shape[1], signs.shape[1])

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = torch.from_numpy(flat).reshape(shape)
        room = (1 - signs * (features @ w.to(features.dtype))).clamp_min(0)
        value = w.square().sum() / 2 + cost * room.double().square().sum()
        gradient = w - 2 * cost * (features.T @ (signs * room)).double()
        return value.item() / rows, gradient.flatten().numpy() / rows

    # Machines share no unknown: the sum of their objectives is least where each of them is.
    start = np.zeros(shape[0] * shape[1])
    options = {"maxiter": 500, "maxcor": 20, "ftol": 0, "gtol": tolerance}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    return torch.from_numpy(found.x).reshape(shape).to(features.dtype)
