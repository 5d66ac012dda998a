"""How well masks overlap: scores from one confusion matrix, and the losses of pixels."""

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.signature import IGNORED
from gradatim.ops.confusion import confusion

__all__ = [
    "dice",
    "intersection_over_union",
    "mean_defined",
    "pixel_confusion",
    "pixel_cross_entropy",
    "soft_dice",
]


def pixel_confusion(predicted: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """Return how many pixels of each class were taken for each other; ignored ones do not count.

    C_jk = #(truth j, predicted k). Matrices of several masks add up to that of all their pixels.

    Args:
        predicted: (height, width), classes in [0, classes).
        truth: (height, width), classes in [0, classes), or 255 for pixels that are ignored.
        classes: how many there are.

    Returns:
        (classes, classes) int64; a row is a true class, a column a predicted one.

    Raises:
        ValueError: shapes that differ, or an unknown class.

    Source: Long, Shelhamer & Darrell 2015, section 5: n_ij, pixels of class i predicted as j.

    >>> truth = np.array([[0, 1], [1, 255]], np.uint8)
    >>> pixel_confusion(np.array([[0, 1], [0, 1]], np.uint8), truth, classes=2).tolist()
    [[1, 0], [1, 1]]
    """
    if predicted.shape != truth.shape:
        raise ValueError(f"masks of shape {predicted.shape} and {truth.shape} do not overlap")
    known = truth != IGNORED
    return confusion(predicted[known], truth[known], classes)


def intersection_over_union(table: np.ndarray) -> np.ndarray:
    """Return |A and B| / |A or B| of each class: TP / (TP + FP + FN).

    Args:
        table: (classes, classes) counts from `pixel_confusion`, summed over masks or not.

    Returns:
        (classes,) shares in [0, 1]; nan for a class that neither the truth nor the answer has.

    Source: Jaccard 1912; Everingham et al. 2010 (the PASCAL VOC score of segmentation).

    >>> intersection_over_union(np.array([[2, 1, 0], [1, 4, 0], [0, 0, 0]])).round(3).tolist()
    [0.5, 0.667, nan]
    """
    hits = np.diag(table)
    with np.errstate(invalid="ignore"):
        return np.asarray(hits / (table.sum(0) + table.sum(1) - hits))


def dice(table: np.ndarray) -> np.ndarray:
    """Return 2 |A and B| / (|A| + |B|) of each class: 2 TP / (2 TP + FP + FN).

    Args:
        table: (classes, classes) counts from `pixel_confusion`, summed over masks or not.

    Returns:
        (classes,) shares in [0, 1]; nan for a class that neither the truth nor the answer has.

    Source: Dice 1945; for masks the F1 score of pixels, 2 IoU / (1 + IoU).

    >>> dice(np.array([[2, 1, 0], [1, 4, 0], [0, 0, 0]])).round(3).tolist()
    [0.667, 0.8, nan]
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(2 * np.diag(table) / (table.sum(0) + table.sum(1)))


def mean_defined(values: np.ndarray) -> float:
    """Return the mean over the classes that occur; nan when none does.

    >>> mean_defined(np.array([0.5, np.nan, 1.0]))
    0.75
    """
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def pixel_cross_entropy(
    logs: Float[Tensor, "rows classes height width"], targets: Integer[Tensor, "rows height width"]
) -> Float[Tensor, " rows"]:
    """Return -log p of the true class, averaged over the pixels of a row that are not ignored.

    Args:
        logs: log p, from a log-softmax over the classes.
        targets: classes, or 255 for pixels that are ignored.

    Returns:
        In nats; 0 for a row with ignored pixels alone.

    Source: Ronneberger, Fischer & Brox 2015, equation (1).
    Deviations: all pixels weigh the same, those between touching cells too.

    >>> logs = torch.full((1, 4, 1, 2), 0.25).log()
    >>> pixel_cross_entropy(logs, torch.tensor([[[2, 255]]])).exp().item()
    4.0
    """
    each = F.nll_loss(logs, targets.long(), reduction="none", ignore_index=IGNORED)
    return each.sum((1, 2)) / (targets != IGNORED).sum((1, 2)).clamp_min(1)


def soft_dice(
    probabilities: Float[Tensor, "rows classes height width"],
    targets: Integer[Tensor, "rows height width"],
    smoothing: float = 1.0,
) -> Float[Tensor, " rows"]:
    """Return what the Dice coefficient of probabilities lacks of 1, averaged over the classes.

    1 - (2 sum p g + s) / (sum p^2 + sum g^2 + s), g = 1 where a pixel is of the class, else 0. It
    counts a class as a whole, so that a small one is worth as much as a large one.

    Args:
        probabilities: p, summing to 1 over the classes.
        targets: classes, or 255 for pixels that are ignored.
        smoothing: s > 0; a class that is absent and not expected costs nothing.

    Returns:
        In [0, 1); 0 for a row with ignored pixels alone.

    Source: Milletari, Navab & Ahmadi 2016 (V-Net), section 3.
    Deviations: s in numerator and denominator, and the mean over all classes instead of one.

    >>> sure = torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]]]])
    >>> soft_dice(sure, torch.tensor([[[0, 1]]])).item()
    0.0
    """
    known = (targets != IGNORED)[:, None]
    classes = torch.arange(probabilities.shape[1], device=targets.device)
    g = (targets[:, None] == classes[:, None, None]).to(probabilities.dtype)
    p = probabilities * known
    shared = (p * g).sum((2, 3))
    sizes = p.square().sum((2, 3)) + g.sum((2, 3))
    return (1 - (2 * shared + smoothing) / (sizes + smoothing)).mean(1)
