"""Losses: what training descends, one number a row.

Those of categories take class numbers or soft targets alike; a soft target q is a share of every
class, and the loss of a row is then the mean over classes: sum_c q_c loss(z, c).
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops.compiled import step as compiled_step
from gradatim.ops.shortcuts import usual, watched

__all__ = [
    "Targets",
    "absolute",
    "balanced",
    "cross_entropy",
    "cross_entropy_slopes",
    "focal",
    "hinge",
    "huber",
    "logistic",
    "shares",
    "squared",
]

Targets = Int64[Tensor, " rows"] | Float[Tensor, "rows classes"]
"""The class of each row, or its share of every class."""


def squared(
    outputs: Float[Tensor, "rows quantities"], targets: Float[Tensor, "rows quantities"]
) -> Float[Tensor, " rows"]:
    """Return (y - t)^2, averaged over the quantities of a row.

    Source: course 001, section 2.1.1; course 000, equation (21).

    >>> squared(torch.tensor([[3.0]]), torch.tensor([[1.0]])).item()
    4.0
    """
    return F.mse_loss(outputs, targets, reduction="none").mean(1)


def absolute(
    outputs: Float[Tensor, "rows quantities"], targets: Float[Tensor, "rows quantities"]
) -> Float[Tensor, " rows"]:
    """Return |y - t|, averaged over the quantities of a row; its minimum is the median.

    Source: Laplace 1774; Koenker & Bassett 1978 at the quantile 1/2.

    >>> absolute(torch.tensor([[3.0]]), torch.tensor([[1.0]])).item()
    2.0
    """
    return F.l1_loss(outputs, targets, reduction="none").mean(1)


def huber(
    outputs: Float[Tensor, "rows quantities"],
    targets: Float[Tensor, "rows quantities"],
    delta: float,
) -> Float[Tensor, " rows"]:
    """Return squares near the target and absolute values far off, so that outliers pull less.

    r^2 / 2 for |r| <= delta, delta (|r| - delta / 2) beyond, r = y - t.

    Args:
        outputs: y.
        targets: t, in the same units.
        delta: where one turns into the other, > 0, in the units of the targets.

    Source: Huber 1964, "Robust estimation of a location parameter".

    >>> huber(torch.tensor([[0.5], [3.0]]), torch.zeros(2, 1), delta=1.0).tolist()
    [0.125, 2.5]
    """
    return F.huber_loss(outputs, targets, reduction="none", delta=delta).mean(1)


def cross_entropy(
    outputs: Float[Tensor, "rows classes"], targets: Targets
) -> Float[Tensor, " rows"]:
    """Return -sum_c q_c log p_c in nats, p the softmax of the outputs.

    Source: course 001, section 2.1.1, which prints it without its minus sign.

    >>> cross_entropy(torch.zeros(1, 4), torch.tensor([2])).exp().item()
    4.0
    """
    return F.cross_entropy(outputs, targets, reduction="none")


def cross_entropy_slopes(
    outputs: Float[Tensor, "rows classes"], targets: Int64[Tensor, " rows"]
) -> tuple[Float[Tensor, " rows"], Float[Tensor, "rows classes"]]:
    """Return -log p_t in nats, and p - [c = t], its gradient by the outputs.

    Source: Bishop 2006, equation (4.109).

    >>> losses, slopes = cross_entropy_slopes(torch.zeros(1, 4), torch.tensor([2]))
    >>> losses.exp().item(), slopes.tolist()
    (4.0, [[0.25, 0.25, -0.75, 0.25]])
    """
    outputs = outputs.detach()
    tight = usual(outputs) and outputs.is_contiguous() and targets.is_contiguous()
    if tight and not watched() and compiled_step.obstacle() is None:
        told = compiled_step.cross_entropy(outputs, targets)
        if told is not None:
            return told
    logs, at = outputs.log_softmax(1), targets[:, None]
    losses = logs.gather(1, at).neg_()[:, 0]
    return losses, logs.exp_().scatter_add_(1, at, logs.new_full((1, 1), -1).expand_as(at))


def logistic(outputs: Float[Tensor, "rows classes"], targets: Targets) -> Float[Tensor, " rows"]:
    """Return -[y log p + (1 - y) log(1 - p)], in nats.

    Of two classes p = sigmoid(z_1 - z_0), which is cross-entropy; of more, every class stands
    against the others by itself, p_c = sigmoid(z_c), and the sum is taken.

    Source: course 001, section 2.1.1, which prints it without its minus sign; one against the
        rest: Rifkin & Klautau 2004.

    >>> round(logistic(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).exp().item(), 6)
    2.0
    """
    y = shares(targets, outputs)
    if outputs.shape[1] == 2:
        outputs, y = (outputs[:, 1:] - outputs[:, :1]), y[:, 1:]
    return F.binary_cross_entropy_with_logits(outputs, y, reduction="none").sum(1)


def hinge(outputs: Float[Tensor, "rows classes"], targets: Targets) -> Float[Tensor, " rows"]:
    """Return by how much the right class fails to lead its strongest rival by 1.

    max(0, 1 + max_{k != t} z_k - z_t); of two classes max(0, 1 - y f) with f = z_1 - z_0.

    Source: Crammer & Singer 2001, "On the algorithmic implementation of multiclass kernel-based
        vector machines"; Cortes & Vapnik 1995 for two classes.

    >>> hinge(torch.tensor([[2.0, 0.5, 1.5]]), torch.tensor([0])).item()
    0.5
    """
    first, second = outputs.topk(2, dim=1).values.split(1, dim=1)
    leads = F.one_hot(outputs.argmax(1), outputs.shape[1]).bool()
    rival = torch.where(leads, second, first)
    if not targets.is_floating_point():
        margin = (rival - outputs).gather(1, targets[:, None])[:, 0]
        return (1 + margin).clamp_min(0)
    return (targets * (1 + rival - outputs).clamp_min(0)).sum(1)


def focal(
    outputs: Float[Tensor, "rows classes"], targets: Targets, gamma: float
) -> Float[Tensor, " rows"]:
    """Return cross-entropy that counts rows the less, the surer the network already is of them.

    -sum_c q_c (1 - p_c)^gamma log p_c, in nats.

    Args:
        outputs: logits.
        targets: classes, or their shares q.
        gamma: >= 0; 0 is cross-entropy.

    Source: Lin, Goyal, Girshick, He & Dollar 2017, equation (4).
    Deviations: softmax instead of one sigmoid a class; alpha is left to weights of the classes.

    >>> z = torch.tensor([[0.9, 0.1]]).log()
    >>> round((cross_entropy(z, torch.tensor([0])) / focal(z, torch.tensor([0]), 2.0)).item())
    100
    """
    logs = outputs.log_softmax(1)
    # 1 - p without cancellation; never 0, where a power below 1 has no slope.
    doubt = (-logs.expm1()).clamp_min(torch.finfo(logs.dtype).tiny)
    return -(shares(targets, outputs) * doubt**gamma * logs).sum(1)


def shares(
    targets: Targets, outputs: Float[Tensor, "rows classes"], smoothing: float = 0.0
) -> Float[Tensor, "rows classes"]:
    """Return targets as shares of the classes, a part of them spread over all classes.

    q'_c = (1 - smoothing) q_c + smoothing / classes.

    Args:
        targets: classes, or their shares.
        outputs: whose classes and type of number are meant.
        smoothing: what is spread, in [0, 1).

    Source: Szegedy et al. 2016, "Rethinking the Inception architecture", equation (3).

    >>> shares(torch.tensor([1]), torch.zeros(1, 4), smoothing=0.4).tolist()[0]
    [0.1..., 0.7..., 0.1..., 0.1...]
    """
    classes = outputs.shape[1]
    q = targets if targets.is_floating_point() else F.one_hot(targets, classes)
    return (1 - smoothing) * q.to(outputs.dtype) + smoothing / classes


def balanced(targets: Int64[Tensor, " rows"]) -> Float[Tensor, " classes"]:
    """Return a weight for each class, so that all that occur count alike: n / (K n_c).

    Args:
        targets: of the rows that teach; K of the classes occur in them.

    Returns:
        Float64; 0 for a class without rows. The mean weight of the rows is 1.

    Source: King & Zeng 2001; the "balanced" of scikit-learn.

    >>> balanced(torch.tensor([0, 0, 0, 1])).tolist()
    [0.666..., 2.0]
    """
    counts = torch.bincount(targets).double()
    weights = len(targets) / (counts.count_nonzero() * counts)
    return torch.where(counts > 0, weights, 0.0)
