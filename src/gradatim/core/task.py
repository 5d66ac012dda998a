"""`Task`: what a job means. Loss, score, decoding; no device, no saving, no loop."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from gradatim.core.errors import ConfigError
from gradatim.core.learner import Learner
from gradatim.core.metric import Metric
from gradatim.core.recipe import LossChoice
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

    def with_loss(self, choice: LossChoice, targets: Tensor) -> Self:
        """Return this task trained with a loss of the user's choice.

        Args:
            choice: of the recipe.
            targets: of the training fold, for the weights of its classes.

        Raises:
            ConfigError: the task has no such loss.
        """
        if choice == LossChoice():
            return self
        raise ConfigError(f"{self.name} has one loss only; leave loss.* out")

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Descend the loss of one batch."""
        learner.model.train()
        loss, norm = learner.descend(
            lambda: self._of_all_heads(learner.model(batch.inputs), batch.targets)
        )
        cost = 1 + learner.optimizers["model"].evaluations
        return {"loss": loss, "gradient_norm": norm, "evaluations": torch.tensor(cost)}

    def _of_all_heads(self, outputs: Tensor | Sequence[Tensor], targets: Tensor) -> Tensor:
        """Return the loss, auxiliary heads counted by 0.3 (Szegedy et al. 2015, section 5).

        A network with auxiliary heads answers with all of them, the main one first, in training.
        """
        if isinstance(outputs, Tensor):
            return self.loss(outputs, targets)
        main, *others = (self.loss(said, targets) for said in outputs)
        return main + 0.3 * torch.stack(others).sum()
