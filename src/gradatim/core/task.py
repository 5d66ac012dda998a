"""`Task`: what a job means. Loss, score, decoding; no device, no saving, no loop."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from gradatim.core.chunks import in_chunks
from gradatim.core.errors import ConfigError, NumericError
from gradatim.core.learner import Evaluate, Learner
from gradatim.core.metric import Metric
from gradatim.core.recipe import LossChoice
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.core.slopes import slopes_of

__all__ = ["Learning", "Supervised", "Task", "Taught"]

Reading = tuple[np.ndarray, np.ndarray]


class Task(ABC):
    """What a job means.

    A task says how a fitted model is asked and how good its answers are, and gives `step`: one
    move of the learner on one batch. Adversaries and Q-learning write their own, which then reads
    like the paper's algorithm box.
    """

    name: ClassVar[str]
    metrics: ClassVar[Mapping[str, Metric]]
    quality_name: ClassVar[str] = ""
    """What `quality` says of a row, such as "IoU"."""

    @property
    def changing(self) -> bool:
        """Whether each batch is cut or drawn anew from raw rows, such as noise that is added."""
        return False

    @abstractmethod
    def suits(self, signature: Signature) -> bool:
        """Tell whether the data asks for this job."""

    def of(self, signature: Signature) -> Self:
        """Return the task for this data, of which it may have to know something."""
        return self

    @abstractmethod
    def default_metric(self, samples: Samples) -> str:
        """Return the name of the metric that a careful person would take for these targets."""

    @abstractmethod
    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Move the learner once; return what is worth recording."""

    @abstractmethod
    def answers(self, model: nn.Module, samples: Samples) -> np.ndarray:
        """Return the answers of a fitted `Model`, rows first, finite, as `read` takes them."""

    def asked(self, samples: Samples) -> Samples:
        """Return rows as a model is asked, to measure what that costs."""
        return samples

    def players(self, network: nn.Module) -> Mapping[str, nn.Module]:
        """Return the parts of a network that have an optimizer each, by the players' names."""
        return {"model": network}

    def encoded(self, model: nn.Module, samples: Samples) -> Samples:
        """Return what a network learns from: features and targets as it sees them."""
        features = in_chunks(model.get_submodule("preprocess"), samples.inputs)
        encode: Callable[[Tensor], Tensor] = model.get_submodule("output").encode  # type: ignore[assignment]
        return Samples(features, encode(samples.targets), numbers=samples.numbers)

    def read(self, predictions: np.ndarray, samples: Samples) -> Reading:
        """Return what the metrics read, one entry a row: by default predictions and targets.

        Where an answer is a mask or a list of boxes, an entry is what the scores of any rows can
        be added up from, such as a confusion matrix a mask.
        """
        targets = samples.targets.numpy()
        return predictions, targets if targets.ndim == 1 else targets[:, 0]

    def quality(self, reading: Reading) -> np.ndarray | None:
        """Return how good the answer to each row is, higher is better.

        None where predictions say it themselves: a probability of the truth, a distance from it.
        """
        return None

    def curve(self, reading: Reading) -> Mapping[str, np.ndarray]:
        """Return "recall" and "precision" as the "confidence" falls that an answer must have.

        Empty where answers are not found or missed.
        """
        return {}

    def picture(self, sample: Samples, prediction: np.ndarray | None) -> np.ndarray | None:
        """Return an answer as people look at it, None where it is no picture.

        Args:
            sample: one row.
            prediction: of that row; None asks for the truth.

        Returns:
            uint8 of shape (1 or 3, height, width).
        """
        return None

    def text(self, sample: Samples, prediction: np.ndarray | None) -> str | None:
        """Return an answer as people read it, None where it is no text; as for `picture`."""
        return None

    def remark(self, predictions: np.ndarray, samples: Samples) -> str:
        """Return what to say of a score beside its number, such as how it was computed."""
        return ""

    def renewed(self, batch: Samples, chance: torch.Generator) -> Samples:
        """Return a batch in which what is chance in the data, such as noise, is drawn anew."""
        return batch

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


class Supervised(Task):
    """A task with right answers: give the `losses` of rows, and the step follows."""

    @abstractmethod
    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of every row of raw outputs."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of raw outputs, a scalar."""
        return self.losses(outputs, targets).mean()

    def slopes(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of rows, and the gradient of each by the outputs of its row."""
        return slopes_of(self.losses, outputs, targets)

    @abstractmethod
    def decode(self, outputs: Tensor) -> np.ndarray:
        """Return predictions, rows first: probabilities (rows, classes), quantities (rows,), ..."""

    def outputs(self, network: nn.Module, inputs: Tensor, targets: Tensor) -> Any:
        """Return the raw outputs of a network that learns.

        One that writes word after word is shown the right words before each: teacher forcing.
        """
        return network(inputs)

    def answers(self, model: nn.Module, samples: Samples) -> np.ndarray:
        """Return decoded outputs, rows first.

        Pictures on a canvas are answered one by one at their own size, and the answers lie on a
        canvas.
        """
        inputs = samples.inputs
        if samples.sizes is None or inputs.dim() != 4:
            return self.decode(in_chunks(model, inputs))
        said: np.ndarray | None = None
        for row in range(len(samples)):
            picture = samples.own(row).inputs
            answer, (height, width) = self.decode(in_chunks(model, picture)), picture.shape[-2:]
            if answer.shape[-2:] != (height, width):
                sizes = f"{height} x {width} pixels is {answer.shape[-2:]}"
                raise ArithmeticError(f"the answer to {sizes}")
            if said is None:
                shape = (len(samples), *answer.shape[1:-2], *inputs.shape[2:])
                said = np.zeros(shape, answer.dtype)
            said[row, ..., :height, :width] = answer[0]
        assert said is not None, "there are rows to answer"
        return said

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Descend the loss of one batch, in as many pieces as the memory asks for."""
        if not learner.model.training:  # a look at every layer, which costs more than a small one
            learner.model.train()
        try:
            loss, norm = learner.descend(self._terms(learner, batch))
        except NumericError as error:
            raise self.blaming(error, learner.model, batch) from error
        cost = 1 + learner.optimizers["model"].evaluations
        return {"loss": loss, "gradient_norm": norm, "evaluations": torch.tensor(cost)}

    def _terms(self, learner: Learner, batch: Samples) -> list[Evaluate]:
        """Return the loss of the batch as a sum; each term counts by its share of the rows."""

        def term(inputs: Tensor, targets: Tensor) -> Tensor:
            loss = self._of_all_heads(self.outputs(learner.model, inputs, targets), targets)
            return loss if len(inputs) == len(batch) else loss * (len(inputs) / len(batch))

        if learner.pieces == 1:
            return [partial(term, batch.inputs, batch.targets)]
        size = -(-len(batch) // learner.pieces)
        pairs = zip(batch.inputs.split(size), batch.targets.split(size), strict=True)
        return [partial(term, inputs, targets) for inputs, targets in pairs]

    def _of_all_heads(self, outputs: Tensor | Sequence[Tensor], targets: Tensor) -> Tensor:
        """Return the loss, auxiliary heads counted by 0.3 (Szegedy et al. 2015, section 5).

        A network with auxiliary heads answers with all of them, the main one first, in training.
        """
        if isinstance(outputs, Tensor):
            return self.loss(outputs, targets)
        main, *others = (self.loss(said, targets) for said in outputs)
        return main + 0.3 * torch.stack(others).sum()

    @torch.no_grad()
    def blaming(self, error: NumericError, model: nn.Module, batch: Samples) -> NumericError:
        """Return an error that names the rows whose own loss is not finite.

        Where each row's is finite, it names the rows of the batch together.
        """
        outputs = self.outputs(model.eval(), batch.inputs, batch.targets)
        losses = self.losses(outputs, batch.targets)
        rows = torch.arange(len(batch)) if batch.numbers is None else batch.numbers
        guilty = rows[~losses.isfinite()]
        which = guilty if len(guilty) else rows
        listed = ", ".join(str(row) for row in sorted(which.tolist())[:5])
        more = f" and {len(which) - 5} more" if len(which) > 5 else ""
        return NumericError(f"{error}\nRows {listed}{more}" + ("" if len(guilty) else ", together"))


class Learning(Task):
    """A task as one rung learns it: a subclass gives the `step`, all else is the task's.

    Args:
        task: whose job it is.
    """

    def __init__(self, task: Task) -> None:
        self.task = task

    @property
    def changing(self) -> bool:
        """Ask the task."""
        return self.task.changing

    def suits(self, signature: Signature) -> bool:
        """Ask the task."""
        return self.task.suits(signature)

    def default_metric(self, samples: Samples) -> str:
        """Ask the task."""
        return self.task.default_metric(samples)

    def answers(self, model: nn.Module, samples: Samples) -> np.ndarray:
        """Ask the task."""
        return self.task.answers(model, samples)

    def encoded(self, model: nn.Module, samples: Samples) -> Samples:
        """Ask the task."""
        return self.task.encoded(model, samples)

    def renewed(self, batch: Samples, chance: torch.Generator) -> Samples:
        """Ask the task."""
        return self.task.renewed(batch, chance)


class Taught(Learning, Supervised):
    """A task as one rung learns it by losses of its own.

    Args:
        task: whose job it is.
        losses: of every row, from the network's raw outputs and the encoded targets.
    """

    def __init__(self, task: Task, losses: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__(task)
        self.own = losses

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the rung's own loss of every row."""
        return self.own(outputs, targets)

    def decode(self, outputs: Tensor) -> np.ndarray:
        """Ask the task, where it decodes."""
        assert isinstance(self.task, Supervised), "other tasks are asked for answers"
        return self.task.decode(outputs)

    def outputs(self, network: nn.Module, inputs: Tensor, targets: Tensor) -> Any:
        """Ask the task, where rows have losses there too."""
        if isinstance(self.task, Supervised):
            return self.task.outputs(network, inputs, targets)
        return network(inputs)
