"""Regress: a number in the units of the data."""

from typing import ClassVar

import numpy as np
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.core.metric import Metric
from gradatim.core.samples import Samples
from gradatim.core.signature import Quantity, Signature
from gradatim.core.task import Supervised
from gradatim.ops.metrics import REGRESSION

__all__ = ["TASK", "Regress"]


class Regress(Supervised):
    """Squared error of standardised targets, averaged over the batch.

    Source: course 000, equation (21), with the mean in place of the sum.
    """

    name: ClassVar[str] = "regress"
    metrics: ClassVar[dict[str, Metric]] = REGRESSION

    def suits(self, signature: Signature) -> bool:
        """Take whatever asks for a quantity."""
        return isinstance(signature.output, Quantity)

    def loss(
        self, outputs: Float[Tensor, "rows quantities"], targets: Float[Tensor, "rows quantities"]
    ) -> Tensor:
        """Return the mean squared error."""
        return F.mse_loss(outputs, targets.to(outputs.dtype))

    def decode(self, outputs: Float[Tensor, "rows quantities"]) -> np.ndarray:
        """Return predictions, float64 of shape (rows,)."""
        return outputs.detach().double()[:, 0].numpy()

    def default_metric(self, samples: Samples) -> str:
        """Return the root of the mean squared error."""
        return "rmse"


TASK = Regress()
