"""Classify: one of several names."""

from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.metric import Metric
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.core.task import Supervised
from gradatim.ops.metrics import CLASSIFICATION

__all__ = ["TASK", "Classify"]

# With one class above this share, accuracy rewards a model that only knows that class.
IMBALANCED = 0.8


class Classify(Supervised):
    """Cross-entropy of the softmax, -log p_target, averaged over the batch.

    Source: course 001, chapter on classification (the printed cross-entropy lacks its minus sign).
    """

    name: ClassVar[str] = "classify"
    metrics: ClassVar[dict[str, Metric]] = CLASSIFICATION

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks for a category."""
        return isinstance(signature.output, Category)

    def loss(
        self, outputs: Float[Tensor, "rows classes"], targets: Int64[Tensor, " rows"]
    ) -> Tensor:
        """Return the mean cross-entropy in nats."""
        return F.cross_entropy(outputs, targets)

    def decode(self, outputs: Float[Tensor, "rows classes"]) -> np.ndarray:
        """Return probabilities, float64 of shape (rows, classes)."""
        return outputs.detach().double().softmax(1).numpy()

    def default_metric(self, samples: Samples) -> str:
        """Return accuracy, or balanced accuracy when one class is nearly all there is."""
        share = torch.bincount(samples.targets).max().item() / len(samples)
        return "balanced_accuracy" if share > IMBALANCED else "accuracy"


TASK = Classify()
