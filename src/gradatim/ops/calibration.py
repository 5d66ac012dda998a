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
    of rows that the solver has not seen: scores of its own training rows look too sure. As in
    Platt's method the right class counts 1 - 1/(n + 2) and the others share the rest, so that
    perfect scores of n rows do not claim more than n rows can show.

    Args:
        scores: larger means more likely.
        targets: the right class of each row.
        steps: the most Newton steps taken.

    Returns:
        s in [1e-3, 1e3].

    Source: Guo et al. 2017, "On calibration of modern neural networks", section 4.2 (s = 1 / T);
    Platt 1999, section 2.2, for the targets.

    >>> scores = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]], dtype=torch.float64)
    >>> round(temperature(scores, torch.tensor([0, 1, 1])), 4)  # right 0.6 of the time: log(1.5)/2
    0.2027
    """
    log_s, doubt = 0.0, 1 / (len(scores) + 2)
    right = scores.gather(1, targets[:, None])[:, 0]
    others = (scores.sum(1) - right) / max(1, scores.shape[1] - 1)
    wanted = (1 - doubt) * right + doubt * others
    for _ in range(steps):
        s = float(torch.tensor(log_s).exp())
        p = (s * scores).softmax(1)
        mean = (p * scores).sum(1)
        slope = (mean - wanted).mean().item() * s
        curve = ((p * scores**2).sum(1) - mean**2).mean().item() * s * s + abs(slope) + 1e-12
        move = max(-1.0, min(1.0, -slope / curve))
        log_s = max(-6.9, min(6.9, log_s + move))
        if abs(move) < 1e-9:
            break
    return float(torch.tensor(log_s, dtype=torch.float64).exp())
