"""Regress: a number in the units of the data."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float
from torch import Tensor

from gradatim.core.errors import ConfigError
from gradatim.core.metric import Metric
from gradatim.core.recipe import LossChoice
from gradatim.core.samples import Samples
from gradatim.core.signature import Quantity, Signature
from gradatim.core.task import Supervised
from gradatim.ops import losses
from gradatim.ops.metrics import REGRESSION

__all__ = ["TASK", "Regress"]

LOSSES = ("absolute", "huber", "squared")


@dataclass(frozen=True, eq=False)
class Regress(Supervised):
    """Squared error of standardised targets, averaged over the batch.

    Another loss may be chosen for training; its numbers are standard deviations of the target.

    Source: course 000, equation (21), with the mean in place of the sum.
    """

    name: ClassVar[str] = "regress"
    metrics: ClassVar[dict[str, Metric]] = REGRESSION

    choice: LossChoice = field(default_factory=LossChoice)

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks for a quantity."""
        return isinstance(signature.output, Quantity)

    def losses(
        self, outputs: Float[Tensor, "rows quantities"], targets: Float[Tensor, "rows quantities"]
    ) -> Float[Tensor, " rows"]:
        """Return the losses of the choice; unless chosen otherwise, the squared errors."""
        meant = targets.to(outputs.dtype)
        if self.choice.name == "absolute":
            return losses.absolute(outputs, meant)
        if self.choice.name == "huber":
            return losses.huber(outputs, meant, self.choice.delta)
        return losses.squared(outputs, meant)

    def with_loss(self, choice: LossChoice, targets: Tensor) -> Self:
        """Return this task trained with another loss."""
        if choice == self.choice:
            return self
        if choice.name not in ("own", *LOSSES):
            raise ConfigError(
                f"loss.name={choice.name} does not fit quantities; "
                f"those that do: {', '.join(LOSSES)}"
            )
        if choice.label_smoothing or choice.class_weights != "none":
            raise ConfigError(
                "loss.label_smoothing and loss.class_weights are for classes; "
                "this target is a quantity: leave them out"
            )
        return replace(self, choice=choice)

    def decode(self, outputs: Float[Tensor, "rows quantities"]) -> np.ndarray:
        """Return predictions, float64 of shape (rows,)."""
        return outputs.detach().double()[:, 0].numpy()

    def default_metric(self, samples: Samples) -> str:
        """Return the root of the mean squared error."""
        return "rmse"


TASK = Regress()
