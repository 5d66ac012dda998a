"""Losses of networks that find boxes: of every place of a map, to be added up by the caller."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops.detection.boxes import giou_of_pairs

__all__ = ["apart", "centre_ness", "penalty_reduced_focal", "sigmoid_focal", "unfocused"]


def penalty_reduced_focal(
    scores: Float[Tensor, "*places"], heat: Float[Tensor, "*places"]
) -> Float[Tensor, "*places"]:
    """Return the focal loss of a heat map, mild where a place is almost the middle of a box.

    -(1 - p)^2 log p where y = 1, -(1 - y)^4 p^2 log(1 - p) elsewhere, p = sigmoid(z).

    Args:
        scores: z.
        heat: y in [0, 1], 1 at the middles of boxes.

    Returns:
        The loss of each place, in nats, >= 0.

    Source: Law & Deng 2018, "CornerNet", equation (1); Zhou, Wang & Krähenbühl 2019, equation (1).

    >>> y = torch.tensor([1.0, 0.0, 0.5])
    >>> (penalty_reduced_focal(torch.zeros(3), y) / torch.tensor(2.0).log()).tolist()
    [0.25, 0.25, 0.015625]
    """
    p = scores.sigmoid()
    there = -((1 - p) ** 2) * F.logsigmoid(scores)
    elsewhere = -((1 - heat) ** 4) * p**2 * F.logsigmoid(-scores)
    return torch.where(heat == 1, there, elsewhere)


def sigmoid_focal(
    scores: Float[Tensor, "*places"],
    truth: Float[Tensor, "*places"],
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Float[Tensor, "*places"]:
    """Return the focal loss of yes-or-no questions that are almost always answered with no.

    -a (1 - q)^gamma log q, where q is the probability of the truth: q = p and a = alpha where it
    is 1, q = 1 - p and a = 1 - alpha where it is 0, p = sigmoid(z).

    Args:
        scores: z.
        truth: 0 or 1.
        alpha: weight of what is there, in [0, 1].
        gamma: how fast easy places stop to count, >= 0.

    Returns:
        The loss of each place, in nats, >= 0.

    Source: Lin et al. 2017, "Focal loss for dense object detection", equation (5).

    >>> losses = sigmoid_focal(torch.zeros(2), torch.tensor([1.0, 0.0]), alpha=0.25)
    >>> (losses / torch.tensor(2.0).log()).tolist()  # 1/4 of 1/4, 3/4 of 1/4
    [0.0625, 0.1875]
    """
    right = torch.where(truth > 0.5, scores, -scores)
    weight = torch.where(truth > 0.5, alpha, 1 - alpha)
    return -weight * right.neg().sigmoid() ** gamma * F.logsigmoid(right)


def apart(
    ours: Float[Tensor, "*boxes 4"], theirs: Float[Tensor, "*boxes 4"]
) -> Float[Tensor, "*boxes"]:
    """Return 1 - giou of each box with its partner: 0 when they are one, below 2 always.

    Args:
        ours: left, top, right, bottom.
        theirs: in the same unit.

    Source: Rezatofighi et al. 2019, algorithm 2.

    >>> apart(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([[0.5, 0.0, 1.0, 1.0]])).item()
    0.5
    """
    return 1 - giou_of_pairs(ours, theirs)


def centre_ness(distances: Float[Tensor, "*places 4"]) -> Float[Tensor, "*places"]:
    """Return how central a place is in its box: 1 in the middle, 0 at the border and outside.

    sqrt(min(l, r) / max(l, r) * min(t, b) / max(t, b)).

    Args:
        distances: l, t, r, b from the place to left, top, right, bottom, in any unit.

    Source: Tian et al. 2019, "FCOS", equation (3).

    >>> centre_ness(torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 4.0, 2.0]])).tolist()
    [1.0, 0.5]
    """
    near = torch.minimum(distances[..., :2], distances[..., 2:]).clamp_min(0)
    far = torch.maximum(distances[..., :2], distances[..., 2:])
    shares = near / torch.where(far > 0, far, torch.ones_like(far))
    return shares.prod(-1).sqrt()


def unfocused(probabilities: Float[Tensor, "*places"]) -> Float[Tensor, "*places"]:
    """Return the shares of truth that a focal loss with exponent 2 turns into these probabilities.

    The expected loss -q (1 - p)^2 log p - (1 - q) p^2 log(1 - p) is least where q = b / (a + b),
    a = (1 - p)^2 / p - 2 (1 - p) log p, b = p^2 / (1 - p) - 2 p log(1 - p): the loss draws p to the
    middle, and this takes it back.

    Args:
        probabilities: p of a network that has learnt with such a loss.

    Returns:
        q in (0, 1); it rises with p.

    Source: the slope of Lin et al. 2017, equation (4), set to 0; Charoenphakdee et al. 2021, "On
        focal loss for class-posterior probability estimation", for the general case.

    >>> [round(q, 4) for q in unfocused(torch.tensor([0.25, 0.5, 0.75])).tolist()]
    [0.0499, 0.5, 0.9501]
    """
    p = probabilities.clamp(1e-6, 1 - 1e-6)
    there = (1 - p) ** 2 / p - 2 * (1 - p) * p.log()
    elsewhere = p**2 / (1 - p) - 2 * p * (1 - p).log()
    return elsewhere / (there + elsewhere)
