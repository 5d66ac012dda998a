"""Multinomial logistic regression with a quadratic penalty, solved to the end."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from scipy.optimize import minimize
from torch import Tensor

__all__ = ["Logistic", "logistic_path"]

# Above these a Newton step costs more than the L-BFGS steps that it saves.
_NEWTON_UNKNOWNS, _NEWTON_ENTRIES = 120, 2_000_000
# Above this the rotation to principal axes costs more than the steps that it saves.
_AXES = 2000


@dataclass(frozen=True)
class Logistic:
    """The minimum for one penalty. `steps` counts Newton steps or evaluations of the gradient."""

    penalty: float
    weights: Float64[Tensor, "features classes"]
    bias: Float64[Tensor, " classes"]
    steps: int


def logistic_path(
    features: Float64[Tensor, "rows features"],
    targets: Int64[Tensor, " rows"],
    classes: int,
    penalties: list[float],
    tolerance: float = 1e-8,
) -> Iterator[Logistic]:
    """Yield the W, b that minimise the penalised cross-entropy, for one penalty after another.

    F(W, b) = -sum_i log softmax(W' x_i + b)_{t_i} + (a / 2) ||W||^2, b free. Each solution is
    where the next begins, so give penalties from large to small. Features are centred and turned
    to their principal axes, each scaled by its bound on the curvature: the minimum is the same, and
    near.

    Args:
        features: standardised.
        targets: classes, from 0.
        classes: how many there are.
        penalties: a > 0; scikit-learn's C = 1 / a (for two classes C = 2 / a, because there one
            weight vector stands for the difference of two).
        tolerance: largest entry of the gradient per row, in the scaled unknowns, at which a
            solution is good enough; 2000 steps end it too.

    Source: Bishop 2006, section 4.3.4; Nocedal & Wright 2006, chapters 3 and 7; the bound on the
        curvature: Boehning 1992.

    Deviations: a class without rows would go to b = -inf; it gets one imagined half row.
    """
    mean = features.mean(0)
    axes = _principal_axes(features - mean)
    x = ((features - mean) @ axes if axes is not None else features - mean).numpy()
    present = torch.unique(targets)
    y = np.eye(classes)[targets.numpy()][:, present.numpy()]
    problem = _Problem(x, y, tolerance)
    theta = np.zeros((x.shape[1] + 1, len(present)))
    theta[-1] = np.log(y.mean(0))
    for penalty in penalties:
        theta, steps = problem.solve(theta, penalty)
        weights = torch.zeros(features.shape[1], classes, dtype=torch.float64)
        bias = torch.zeros(classes, dtype=torch.float64)
        solved = torch.from_numpy(theta[:-1])
        weights[:, present] = solved if axes is None else axes @ solved
        bias[present] = torch.from_numpy(theta[-1])
        total = torch.from_numpy(x @ theta[:-1] + theta[-1]).logsumexp(1).mean()
        absent = torch.ones(classes, dtype=torch.bool).index_fill(0, present, False)
        bias[absent] = total - np.log(2 * len(x))
        yield Logistic(penalty, weights, bias - mean @ weights, steps)


def _principal_axes(x: Tensor) -> Tensor | None:
    """Return orthonormal columns that span the rows of x, or None when they cost too much."""
    rows, features = x.shape
    if min(rows, features) > _AXES:
        return None
    if features <= rows:
        return torch.linalg.eigh(x.T @ x)[1]
    # The penalty keeps W in the span of the rows, so nothing is lost with the other directions.
    values, vectors = torch.linalg.eigh(x @ x.T)
    kept = values > values.amax() * rows * torch.finfo(x.dtype).eps
    return x.T @ (vectors[:, kept] / values[kept].sqrt())


class _Problem:
    """Rows in their final axes. `theta` is W with b as its last row."""

    def __init__(self, x: np.ndarray, y: np.ndarray, tolerance: float) -> None:
        self.x, self.y, self.tolerance = x, y, tolerance
        self.ones = np.concatenate([x, np.ones((len(x), 1))], axis=1)
        self.squares = np.square(self.ones).sum(axis=0)

    def solve(self, theta: np.ndarray, penalty: float) -> tuple[np.ndarray, int]:
        """Return the minimum and what it took, starting from theta."""
        unknowns = theta.size
        if unknowns <= _NEWTON_UNKNOWNS and unknowns * len(self.x) <= _NEWTON_ENTRIES:
            return self._newton(theta, penalty)
        return self._descend(theta, penalty)

    def _value(self, theta: np.ndarray, penalty: float) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the objective, its gradient and the probabilities."""
        scores = self.ones @ theta
        scores -= scores.max(axis=1, keepdims=True)
        p = np.exp(scores)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        weights = theta.copy()
        weights[-1] = 0
        loss = np.log(total).sum() - np.vdot(self.y, scores)
        value = float(loss + penalty / 2 * np.vdot(weights, weights))
        return value, self.ones.T @ (p - self.y) + penalty * weights, p

    def _descend(self, theta: np.ndarray, penalty: float) -> tuple[np.ndarray, int]:
        """L-BFGS in unknowns scaled by the curvature's bound, so that its first guess is good."""
        charge = np.full(len(self.squares), penalty)
        charge[-1] = 0
        scale = 1 / np.sqrt(self.squares / 8 + charge + 1e-12)[:, None]
        rows = len(self.x)

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient, _ = self._value(flat.reshape(theta.shape) * scale, penalty)
            return value / rows, (gradient * scale).ravel() / rows

        options = {"maxiter": 2000, "maxfun": 4000, "maxcor": 20, "ftol": 0, "gtol": self.tolerance}
        start = (theta / scale).ravel()
        found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
        return found.x.reshape(theta.shape) * scale, int(found.nfev)

    def _newton(self, theta: np.ndarray, penalty: float) -> tuple[np.ndarray, int]:
        """Newton's method; a step that does not pay is halved."""
        steps = 0
        value, gradient, p = self._value(theta, penalty)
        while steps < 100:
            steps += 1
            move = np.linalg.solve(self._curvature(p, penalty), gradient.T.ravel())
            move = move.reshape(gradient.T.shape).T
            promised = float(np.vdot(move, gradient))
            if promised <= self.tolerance**2 * len(self.x):
                break
            share = 1.0
            while share > 1e-10:
                trial = theta - share * move
                after = self._value(trial, penalty)
                if after[0] <= value - 1e-4 * share * promised:
                    break
                share /= 2
            else:
                break  # no step pays: the objective is flat to the last digit
            theta, (value, gradient, p) = trial, after
        return theta, steps

    def _curvature(self, p: np.ndarray, penalty: float) -> np.ndarray:
        """Return the Hessian, class after class.

        One number added to all b changes nothing: that direction gets a curvature of its own.
        """
        d, k = self.ones.shape[1], p.shape[1]
        spread = (p[:, :, None] * self.ones[:, None, :]).reshape(len(p), k * d)
        hessian = -(spread.T @ spread)
        charge = np.full(d, penalty)
        charge[-1] = 0
        for c in range(k):
            block = slice(c * d, (c + 1) * d)
            hessian[block, block] += self.ones.T @ spread[:, block] + np.diag(charge)
        hessian[d - 1 :: d, d - 1 :: d] += len(p)
        return hessian
