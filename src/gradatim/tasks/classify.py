"""Classify: one of several names."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.core.metric import Metric
from gradatim.core.recipe import LossChoice
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Signature
from gradatim.core.task import Supervised
from gradatim.ops import losses
from gradatim.ops.losses import Targets
from gradatim.ops.metrics import CLASSIFICATION

__all__ = ["TASK", "Classify"]

# With one class above this share, accuracy rewards a model that only knows that class.
IMBALANCED = 0.8
LOSSES = ("cross_entropy", "focal", "hinge", "logistic")


@dataclass(frozen=True, eq=False)
class Classify(Supervised):
    """Cross-entropy of the softmax, -log p_target, averaged over the batch.

    Another loss may be chosen for training. A row of weight w_c counts w_c times, a soft target
    the mean of its classes' weights; the sum is divided by the rows, since the mean weight is 1.

    Source: course 001, chapter on classification (the printed cross-entropy lacks its minus sign).
    """

    name: ClassVar[str] = "classify"
    metrics: ClassVar[dict[str, Metric]] = CLASSIFICATION

    choice: LossChoice = field(default_factory=LossChoice)
    weights: Tensor | None = None

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks for a category."""
        return isinstance(signature.output, Category)

    def losses(
        self, outputs: Float[Tensor, "rows classes"], targets: Targets
    ) -> Float[Tensor, " rows"]:
        """Return the losses of the choice; unless chosen otherwise, cross-entropies in nats."""
        meant = targets
        if self.choice.label_smoothing:
            meant = losses.shares(targets, outputs, self.choice.label_smoothing)
        each = self._each(outputs, meant)
        if self.weights is None:
            return each
        # A class beyond the last one of the training rows never teaches: its weight is 0.
        weights = F.pad(self.weights, [0, outputs.shape[1] - len(self.weights)]).to(each.dtype)
        return losses.shares(targets, outputs) @ weights * each

    def slopes(
        self, outputs: Float[Tensor, "rows classes"], targets: Targets
    ) -> tuple[Float[Tensor, " rows"], Float[Tensor, "rows classes"]]:
        """Return losses and their gradients; those of plain cross-entropy are written out."""
        named = self.choice.name in ("own", "cross_entropy") and not self.choice.label_smoothing
        if named and self.weights is None and not targets.is_floating_point():
            return losses.cross_entropy_slopes(outputs, targets)
        return super().slopes(outputs, targets)

    def with_loss(self, choice: LossChoice, targets: Tensor) -> Self:
        """Return this task trained with another loss, its classes weighed by these targets."""
        if choice == self.choice:
            return self
        if choice.name not in ("own", *LOSSES):
            raise ConfigError(
                f"loss.name={choice.name} does not fit categories; "
                f"those that do: {', '.join(LOSSES)}"
            )
        weights = losses.balanced(targets) if choice.class_weights == "balanced" else None
        return replace(self, choice=choice, weights=weights)

    def decode(self, outputs: Float[Tensor, "rows classes"]) -> np.ndarray:
        """Return probabilities, float64 of shape (rows, classes)."""
        return outputs.detach().double().softmax(1).numpy()

    def default_metric(self, samples: Samples) -> str:
        """Return accuracy, or balanced accuracy when one class is nearly all there is."""
        share = torch.bincount(samples.targets).max().item() / len(samples)
        return "balanced_accuracy" if share > IMBALANCED else "accuracy"

    def _each(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.choice.name == "hinge":
            return losses.hinge(outputs, targets)
        if self.choice.name == "logistic":
            return losses.logistic(outputs, targets)
        if self.choice.name == "focal":
            return losses.focal(outputs, targets, self.choice.gamma)
        return losses.cross_entropy(outputs, targets)


TASK = Classify()
