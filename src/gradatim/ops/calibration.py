"""Turning the scores of a solver into honest probabilities."""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

__all__ = ["temperature"]


def temperature(
    scores: Float64[Tensor, "rows classes"], targets: Int64[Tensor, " rows"], steps: int = 50
) -> float:
    """Return the positive s that minimises the mean cross-entropy of softmax(s * scores).

    The loss is convex in s, so Newton's method on log s with a bounded step finds it. Give scores
    of rows that the solver has not seen: scores of its own training rows look too sure.

    Args:
        scores: larger means more likely.
        targets: the right class of each row.
        steps: the most Newton steps taken.

    Returns:
        s in [1e-3, 1e3].

    Source: Guo et al. 2017, "On calibration of modern neural networks", section 4.2 (s = 1 / T).

    >>> scores = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]], dtype=torch.float64)
    >>> round(temperature(scores, torch.tensor([0, 1, 1])), 4)  # right 2 times of 3: log(2) / 2
    0.3466
    """
    log_s = 0.0
    for _ in range(steps):
        s = float(torch.tensor(log_s).exp())
        p = (s * scores).softmax(1)
        mean = (p * scores).sum(1)
        slope = (mean - scores.gather(1, targets[:, None])[:, 0]).mean().item() * s
        curve = ((p * scores**2).sum(1) - mean**2).mean().item() * s * s + abs(slope) + 1e-12
        move = max(-1.0, min(1.0, -slope / curve))
        log_s = max(-6.9, min(6.9, log_s + move))
        if abs(move) < 1e-9:
            break
    return float(torch.tensor(log_s, dtype=torch.float64).exp())
