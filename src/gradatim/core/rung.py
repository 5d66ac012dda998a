"""`Rung`: one model file, one place on the ladder.

Rungs differ in how they are fitted, never in what they become: a `Model` with its preprocessing
inside. `Solved` rungs have a closed form or a solver; `Trained` rungs descend a gradient.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import nn

from gradatim.core.errors import ConfigError, nearest
from gradatim.core.recipe import Recipe, Settings
from gradatim.core.refusal import Refusal
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature
from gradatim.core.task import Task

__all__ = ["Model", "Rung", "Solved", "Trained"]


FIRST = {
    "category": "use majority",
    "quantity": "use mean",
    "picture": "use gauss",
    "mask": "use threshold",
    "boxes": "use watershed",
    "continuation": "use unigram",
    "translation": "use copy_source",
    "density": "use gaussian",
    "synthesis": "use gaussian",
    "actions": "use random_play",
}
"""Kind of output -> a rung that takes it, whatever the input."""


class Model(nn.Module):
    """A fitted rung: raw inputs in, answers in the units of the data out.

    Args:
        preprocess: raw inputs -> features; has `fit(inputs)`.
        network: features -> scores.
        output: scores -> logits of categories or quantities in their units; has `fit(targets)`
            and `encode(targets)`, the targets as the network sees them.
        extents: sizes that came from the data (such as the number of support vectors) and that
            are needed to build the empty model again.
    """

    def __init__(
        self,
        preprocess: nn.Module,
        network: nn.Module,
        output: nn.Module,
        extents: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        self.preprocess, self.network, self.output = preprocess, network, output
        self.extents = dict(extents or {})

    def forward(self, inputs: Any) -> Any:
        """Return the answers to raw inputs."""
        return self.output(self.network(self.preprocess(inputs)))


class Rung(Settings, ABC):
    """One model file. Its pydantic fields are its hyper-parameters: `--set model.NAME=VALUE`."""

    place: ClassVar[int]
    """Position on the ladder, low is simple."""
    idea: ClassVar[str]
    """What it adds to the rung below, in one sentence."""
    source: ClassVar[str]
    deviations: ClassVar[tuple[str, ...]] = ()
    sizes: ClassVar[Mapping[str, Mapping[str, Any]]] = {"tiny": {}}
    """Named settings; `tiny` fits in under a second."""
    published: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Settings of published networks, each with a name of its own, such as resnet18: such a name
    stands wherever the name of a rung does."""
    reads: ClassVar[tuple[str, ...]] = ("table", "image", "sequence")
    """Kinds of input that the rung is for."""
    answers: ClassVar[tuple[str, ...]] = ("category", "quantity")
    """Kinds of output that it answers with."""
    dummy: ClassVar[bool] = False
    """Whether the rung does not look at its input: its score is the one to beat."""
    default: ClassVar[bool] = True
    """Whether a climb that names no rungs tries this one."""

    @classmethod
    def of_size(cls, size: str) -> "Rung":
        """Return the rung at a named size."""
        sizes = {**cls.sizes, **cls.published}
        if size not in sizes:
            raise ConfigError(f'there is no size "{size}"; {nearest(size, sizes)}')
        return cls.parse(dict(sizes[size]))

    @property
    def file(self) -> str:
        """The name of the file that defines the rung."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def name(self) -> str:
        """The name of the published network that it is; of its file, when it is none."""
        return next((n for n in self.published if self == self.of_size(n)), self.file)

    def refusal(self, signature: Signature) -> Refusal | None:
        """Return why this data is not for this rung, or None: first its kinds, then the rest."""
        given, asked = signature.input.kind, signature.output.kind
        if not self.joins(signature):
            kinds = f"{' or '.join(self.reads)} to {' or '.join(self.answers)}"
            return Refusal(f"it goes from {kinds}, and this is {given} to {asked}", FIRST[asked])
        return self.accepts(signature)

    @classmethod
    def joins(cls, signature: Signature) -> bool:
        """Tell whether the rung is of the ladder for these kinds of data."""
        return signature.input.kind in cls.reads and signature.output.kind in cls.answers

    @abstractmethod
    def accepts(self, signature: Signature) -> Refusal | None:
        """Return why data of a kind that it reads is not for this rung after all, or None."""

    @abstractmethod
    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the model with its final shapes, its numbers still to be filled in."""


class Solved(Rung):
    """A rung with a closed form or a solver."""

    @abstractmethod
    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Return the fitted model. Everything it learns, it learns from `samples` alone."""


class Trained(Rung):
    """A rung that is built, then trained by the one loop."""

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return the default recipe for this many training rows of such data."""
        return Recipe()

    def taught(self, task: Task, model: Model) -> Task:
        """Return the task as this rung learns it, given its empty model.

        A network whose raw outputs are no answers yet, such as heat maps of boxes, has a loss of
        its own: `Taught(task, losses)`.
        """
        return task
