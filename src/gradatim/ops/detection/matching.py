"""The cheapest way to give every box that is there a guess of its own."""

import torch
from jaxtyping import Float, Int64
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from gradatim.ops.detection.boxes import centred, giou

__all__ = ["cheapest_pairs", "matching_costs"]

LARGEST = 1e6
"""What a cost that is no number counts as: a network that diverged is reported by its loss."""


@torch.no_grad()
def cheapest_pairs(
    costs: Float[Tensor, "guesses truths"],
) -> tuple[Int64[Tensor, " pairs"], Int64[Tensor, " pairs"]]:
    """Return which guess stands for which truth, so that the sum of the costs is least.

    Every guess stands for one truth at most and every truth has one guess at most; of both there
    are as many pairs as the fewer of them.

    Args:
        costs: of each guess for each truth.

    Returns:
        Numbers of the guesses, in order, and of the truths they stand for.

    Source: Kuhn 1955, "The Hungarian method for the assignment problem"; SciPy's solver is
        Crouse's 2016 version of Jonker and Volgenant's.

    >>> cheapest_pairs(torch.tensor([[1.0, 2.0], [0.0, 3.0], [9.0, 9.0]]))
    (tensor([0, 1]), tensor([1, 0]))
    """
    finite = costs.detach().cpu().nan_to_num(LARGEST, LARGEST, -LARGEST)
    guesses, truths = linear_sum_assignment(finite.numpy())
    return torch.from_numpy(guesses), torch.from_numpy(truths)


@torch.no_grad()
def matching_costs(
    probabilities: Float[Tensor, "guesses classes"],
    boxes: Float[Tensor, "guesses 4"],
    truths: Float[Tensor, "truths 5"],
) -> Float[Tensor, "guesses truths"]:
    """Return what it costs to let each guess stand for each truth.

    -p(class) + 5 |b - b'|_1 + 2 (1 - giou(b, b')), where |.|_1 is of centre, width and height.

    Args:
        probabilities: of the classes, for each guess.
        boxes: left, top, right, bottom of the guesses, in shares.
        truths: the same of the truths, then the class.

    Source: Carion et al. 2020, "End-to-end object detection with transformers", section 3.1.
    """
    chance = probabilities[:, truths[:, 4].long()]
    differs = torch.cdist(centred(boxes), centred(truths[:, :4]), p=1)
    return -chance + 5 * differs + 2 * (1 - giou(boxes, truths[:, :4]))
