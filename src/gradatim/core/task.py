"""`Task`: what a job means. Loss, score, decoding; no device, no saving, no loop."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from torch import Tensor

from gradatim.core.learner import Learner
from gradatim.core.metric import Metric
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature

__all__ = ["Supervised", "Task"]


class Task(ABC):
    """What a job means.

    A task gives `step`: one move of the learner on one batch. Adversaries and Q-learning write
    their own, which then reads like the paper's algorithm box.
    """

    name: ClassVar[str]

    @abstractmethod
    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Move the learner once; return what is worth recording."""


class Supervised(Task):
    """A task with right answers: give `loss`, and the step follows."""

    metrics: ClassVar[Mapping[str, Metric]]

    @abstractmethod
    def suits(self, signature: Signature) -> bool:
        """Tell whether the data asks for this job."""

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of raw outputs, a scalar."""

    @abstractmethod
    def decode(self, outputs: Tensor) -> np.ndarray:
        """Return what the metrics read: probabilities (rows, classes) or predictions (rows,)."""

    @abstractmethod
    def default_metric(self, samples: Samples) -> str:
        """Return the name of the metric that a careful person would take for these targets."""

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Descend the loss of one batch."""
        learner.model.train()
        loss = self.loss(learner.model(batch.inputs), batch.targets)
        norm = learner.descend(loss)
        return {"loss": loss.detach(), "gradient_norm": norm}
