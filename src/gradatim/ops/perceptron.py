"""Rosenblatt's rule, and a proof of when it cannot succeed."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from scipy.optimize import linprog
from scipy.sparse import csr_array
from torch import Tensor

from gradatim.core.randomness import array_generator

__all__ = ["Perceptron", "linearly_separable", "perceptron"]

# Rows whose scores are computed at once; only speed depends on it.
_BLOCK = 64
# Most numbers in the linear programme; this many take some seconds.
_ENTRIES = 500_000


@dataclass(frozen=True)
class Perceptron:
    """The best weights that were met. `mistakes` counts the corrections of each epoch."""

    weights: Float64[Tensor, "features classes"]
    bias: Float64[Tensor, " classes"]
    mistakes: Int64[Tensor, " epochs"]
    left: int
    """Rows that the returned weights get wrong."""


def perceptron(
    features: Float64[Tensor, "rows features"],
    targets: Int64[Tensor, " rows"],
    classes: int,
    epochs: int,
    seed: int,
) -> Perceptron:
    """Correct the scores at every mistake, row after row, until an epoch has none.

    Where w_t'x <= w_r'x for the right class t and its strongest rival r: w_t += x, w_r -= x. Of
    two classes this is Rosenblatt's w += x or w -= x on the difference of their weights. If some W
    puts every right class first with margin g (rows no longer than R), there are at most
    2 (R / g)^2 corrections for ||W|| = 1 (Novikoff).

    Args:
        features: standardised; a column of ones is added for the bias.
        targets: classes, from 0.
        classes: how many there are, >= 2.
        epochs: the most passes over the rows, each in a new order.
        seed: the orders are a function of it.

    Source: Rosenblatt 1958; Kesler's construction: Nilsson 1965, section 5.7; Gallant 1990 (the
        pocket).

    Deviations: the weights that get fewest rows wrong are kept (the pocket, with ratchet, compared
        at every epoch's end too), so that inseparable data gives an answer.

    >>> x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).double()
    >>> perceptron(x, torch.tensor([0, 0, 0, 1]), 2, 100, seed=0).left  # AND
    0
    >>> perceptron(x, torch.tensor([0, 1, 1, 0]), 2, 100, seed=0).left > 0  # XOR
    True
    """
    x = np.concatenate([features.numpy(), np.ones((len(features), 1))], axis=1)
    pocket, t = _Pocket(x, targets.numpy(), classes), targets.numpy()
    w, mistakes, run = np.zeros((x.shape[1], classes)), [], 0
    for epoch in range(epochs):
        order = array_generator(seed, "perceptron order", epoch).permutation(len(x))
        count, run = _pass(x[order], t[order], w, run, pocket)
        mistakes.append(count)
        pocket.offer(w, pocket.run)
        if not count:
            break
    weights = torch.from_numpy(pocket.weights)
    return Perceptron(weights[:-1], weights[-1], torch.tensor(mistakes), pocket.left)


class _Pocket:
    """The best weights so far: those that err least of all that held at least as long."""

    def __init__(self, x: np.ndarray, t: np.ndarray, classes: int) -> None:
        self.x, self.t, self.run, self.left = x, t, 0, len(x)
        self.weights = np.zeros((x.shape[1], classes))

    def offer(self, w: np.ndarray, run: int) -> None:
        """Keep w if it got `run` rows in a row right, no fewer than the best, and errs less."""
        if run < self.run:
            return
        left = int(_mistakes(self.x @ w, self.t)[0].sum())
        if left < self.left:
            self.weights, self.left, self.run = w.copy(), left, run


def _pass(
    x: np.ndarray, t: np.ndarray, w: np.ndarray, run: int, pocket: _Pocket
) -> tuple[int, int]:
    """Correct w in place, row after row; return how often, and how many rows it has held since."""
    count = 0
    for start in range(0, len(x), _BLOCK):
        rows, right = x[start : start + _BLOCK], t[start : start + _BLOCK]
        scores, first = rows @ w, 0
        while first < len(rows):
            wrong, rival = _mistakes(scores[first:], right[first:])
            if not wrong.any():
                run += len(rows) - first
                break
            place = int(wrong.argmax())
            pocket.offer(w, run + place)
            row, good, bad = first + place, right[first + place], rival[place]
            w[:, good] += rows[row]
            w[:, bad] -= rows[row]
            first, run = row + 1, 0
            # What the correction does to the rows still to come, without scoring them anew.
            shift = rows[first:] @ rows[row]
            scores[first:, good] += shift
            scores[first:, bad] -= shift
            count += 1
    return count, run


def _mistakes(scores: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows do not put their class first, and the strongest rival of each row."""
    rows = np.arange(len(t))
    others = scores.copy()
    others[rows, t] = -np.inf
    rival = others.argmax(axis=1)
    return scores[rows, t] <= others[rows, rival], rival


def linearly_separable(
    features: Float64[Tensor, "rows features"], targets: Int64[Tensor, " rows"], classes: int
) -> bool | None:
    """Tell whether linear scores can put the right class first in every row; None: not known.

    Farkas: either some W has w_t'x > w_r'x for every row and rival, or there are l_ir >= 0 of sum
    1 with sum_ir l_ir (e_t - e_r) x_i' = 0. Of two classes the second says that their convex hulls
    share a point. Linear programmes look for l, then for W; what they find is multiplied out.

    Args:
        features: standardised; a column of ones is added.
        targets: classes, from 0.
        classes: how many there are, >= 2.

    Returns:
        None if the programmes are too large or their answers do not stand the check.

    Source: Farkas 1902; Boyd & Vandenberghe 2004, section 8.6.1.

    >>> x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).double()
    >>> linearly_separable(x, torch.tensor([0, 0, 0, 1]), 2)
    True
    >>> linearly_separable(x, torch.tensor([0, 1, 1, 0]), 2)
    False
    """
    x = np.concatenate([features.numpy(), np.ones((len(features), 1))], axis=1)
    t, k = targets.numpy(), classes
    if len(x) * (k - 1) * 2 * x.shape[1] > _ENTRIES:
        return None
    pairs = [(i, r) for i in range(len(x)) for r in range(k) if r != t[i]]
    rows, rivals = np.array(pairs).T
    signs = np.zeros((len(pairs), k))
    signs[np.arange(len(pairs)), t[rows]] = 1
    signs[np.arange(len(pairs)), rivals] = -1
    # The classes' equations add up to 0 = 0, so the last one is left out.
    balance = (signs[:, : k - 1, None] * x[rows][:, None, :]).reshape(len(pairs), -1).T
    table = np.concatenate([balance, np.ones((1, len(pairs)))])
    goal = np.append(np.zeros(len(balance)), 1.0)
    hulls = linprog(np.zeros(len(pairs)), A_eq=csr_array(table), b_eq=goal, method="highs")
    if hulls.status == 0 and hulls.x.min() >= 0:
        miss = np.abs(table @ hulls.x - goal).max()
        return False if miss < 1e-9 * max(1.0, np.abs(x).max()) else None
    sides = csr_array(-balance.T)
    free, least = (None, None), -np.ones(len(pairs))
    plane = linprog(np.zeros(len(balance)), A_ub=sides, b_ub=least, bounds=free, method="highs")
    return True if plane.status == 0 and (balance.T @ plane.x).min() > 0 else None
