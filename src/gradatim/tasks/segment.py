"""Segment: a class for every pixel."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float, Integer
from torch import Tensor

from gradatim.core.metric import Metric
from gradatim.core.samples import Samples
from gradatim.core.signature import IGNORED, Mask, Signature
from gradatim.core.task import Reading, Supervised
from gradatim.ops.segmentation.overlap import (
    dice,
    intersection_over_union,
    mean_defined,
    pixel_confusion,
    pixel_cross_entropy,
    soft_dice,
)
from gradatim.ops.segmentation.overlay import overlay

__all__ = ["TASK", "Segment"]


def _of_all(score: Callable[[np.ndarray], float]) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return a metric of many masks: the score of the sum of their confusion matrices."""

    def metric(tables: np.ndarray, pixels: np.ndarray) -> float:
        return score(_square(tables.sum(0)))

    return metric


def _square(table: np.ndarray) -> np.ndarray:
    side = round(len(table) ** 0.5)
    return table.reshape(side, side)


def mean_iou(table: np.ndarray) -> float:
    """Return the mean intersection over union of the classes that occur."""
    return mean_defined(intersection_over_union(table))


def mean_dice(table: np.ndarray) -> float:
    """Return the mean Dice coefficient of the classes that occur."""
    return mean_defined(dice(table))


def pixel_accuracy(table: np.ndarray) -> float:
    """Return the share of pixels with the right class; nan when there are none."""
    return float(np.trace(table) / table.sum()) if table.any() else float("nan")


@dataclass(frozen=True)
class Segment(Supervised):
    """Cross-entropy of the pixels plus what their soft Dice coefficient lacks of 1.

    The first is calibrated and easy to descend, the second counts a small class as much as a large
    one. Scores come from one confusion matrix over all pixels of a split, not from means over
    pictures: a class that is missing from a picture would have no score there.

    Args:
        classes: how many there are; 0 takes as many as the masks at hand show.

    Source: Milletari, Navab & Ahmadi 2016 (soft Dice); Isensee et al. 2021, section "loss
        function" (the sum of both); Everingham et al. 2010 (one matrix for all pictures).
    """

    name: ClassVar[str] = "segment"
    metrics: ClassVar[dict[str, Metric]] = {
        "miou": Metric("miou", "higher", True, _of_all(mean_iou)),
        "dice": Metric("dice", "higher", True, _of_all(mean_dice)),
        "pixel_accuracy": Metric("pixel_accuracy", "higher", True, _of_all(pixel_accuracy)),
    }
    quality_name: ClassVar[str] = "mean IoU"

    classes: int = 0

    @property
    def changing(self) -> bool:
        """Say that squares are cut anew."""
        return True

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks for a mask."""
        return isinstance(signature.output, Mask)

    def of(self, signature: Signature) -> Self:
        """Return the task for masks of these classes."""
        return replace(self, classes=signature.outputs)

    def losses(
        self,
        outputs: Float[Tensor, "rows classes height width"],
        targets: Integer[Tensor, "rows height width"],
    ) -> Float[Tensor, " rows"]:
        """Return the loss of every mask; one with ignored pixels alone costs nothing."""
        logs = outputs.log_softmax(1)
        return pixel_cross_entropy(logs, targets) + soft_dice(logs.exp(), targets)

    def decode(self, outputs: Float[Tensor, "rows classes height width"]) -> np.ndarray:
        """Return the most probable class of every pixel, uint8 of shape (rows, height, width)."""
        found: np.ndarray = outputs.detach().argmax(1).numpy()
        return found.astype(np.uint8)

    def default_metric(self, samples: Samples) -> str:
        """Return the mean intersection over union, which no large class can carry alone."""
        return "miou"

    def read(self, predictions: np.ndarray, samples: Samples) -> Reading:
        """Return a flattened confusion matrix a mask, and how many pixels it counts."""
        classes = self.classes or _most(predictions, samples.targets.numpy()) + 1
        tables = []
        for row, said in enumerate(predictions):
            mask = samples.own(row).targets[0].numpy()
            height, width = mask.shape
            tables.append(pixel_confusion(said[:height, :width], mask, classes).ravel())
        rows = np.stack(tables) if tables else np.zeros((0, classes * classes), np.int64)
        return rows, rows.sum(1)

    def quality(self, reading: Reading) -> np.ndarray | None:
        """Return the mean intersection over union of each mask; 1 where all is ignored."""
        return np.array([mean_iou(_square(table)) if table.any() else 1.0 for table in reading[0]])

    def picture(self, sample: Samples, prediction: np.ndarray | None) -> np.ndarray | None:
        """Return the classes as tints over the picture; an answer shows its errors in red."""
        own = sample.own(0)
        pixels, (height, width) = own.inputs[0].numpy(), own.inputs.shape[2:]
        truth = own.targets[0].numpy() if len(sample.targets) > 0 else None
        if prediction is None:
            return overlay(pixels, truth) if truth is not None else None
        mask = prediction.reshape(prediction.shape[-2:])[:height, :width]
        return overlay(pixels, mask, truth)


def _most(predictions: np.ndarray, masks: np.ndarray) -> int:
    """Return the largest class that occurs."""
    known = masks[masks != IGNORED]
    return int(max(predictions.max(initial=1), known.max(initial=1)))


TASK = Segment()
