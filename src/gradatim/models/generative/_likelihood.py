"""What rungs share that know a density and draw from it: both jobs, rows of tables and pictures."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved, Trained
from gradatim.core.samples import Samples
from gradatim.core.signature import Density, Signature
from gradatim.core.task import Task, Taught
from gradatim.layers.generative.generative import Asked, Generative, asked
from gradatim.layers.generative.scaled import Scaled, Way, answer_of, grains_of
from gradatim.ops.generative.dequantisation import spread
from gradatim.ops.inner import inner_holdout

__all__ = ["KnownForm", "LearntFlow", "halves"]


class KnownForm(Solved):
    """A distribution whose numbers a solver finds: a subclass gives the network and fills it."""

    reads: ClassVar[tuple[str, ...]] = ("table", "image")
    answers: ClassVar[tuple[str, ...]] = ("density", "synthesis")

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any table of numbers and any picture."""
        return None

    @abstractmethod
    def network(self, features: int, extents: Mapping[str, int], asks: Asked) -> Generative:
        """Return the network, its numbers still to be filled in."""

    @abstractmethod
    def fitted(self, z: Tensor, samples: Samples, asks: Asked, seed: int) -> Generative:
        """Return the network fitted to rows of features.

        Args:
            z: float64 of shape (rows, features), discrete values spread over their grains.
            samples: the rows that they come from, for splits.
            asks: what the network will be asked for.
            seed: of all chance.
        """

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the distribution behind standardised rows."""
        scaled = Scaled(signature, "alike", dtype=torch.float64)
        network = self.network(scaled.features, extents, asked(signature))
        return Model(scaled, network, answer_of(signature, scaled), extents)

    def solve(self, samples: Samples, signature: Signature, seed: int) -> Model:
        """Fit once."""
        rows = samples.inputs
        if not isinstance(signature.output, Density):  # which spreads them itself
            chance = torch.Generator().manual_seed(seed)
            rows = spread(rows, grains_of(signature), chance)
        scaled = Scaled(signature, "alike", dtype=torch.float64).fit(rows)
        network = self.fitted(scaled(rows), samples, asked(signature), seed)
        extents = {name: int(value) for name, value in self.extents_of(network).items()}
        return Model(scaled, network, answer_of(signature, scaled), extents)

    def extents_of(self, network: Generative) -> Mapping[str, int]:
        """Return the sizes that were chosen by the data; none by default."""
        return {}


def halves(z: Tensor, samples: Samples, seed: int, most: int = 10**9) -> tuple[Tensor, Tensor]:
    """Return rows to fit to and a fifth to judge by; all of them twice where they are few.

    Args:
        z: rows of features.
        samples: where they come from; their groups stay together.
        seed: the split is a function of it.
        most: rows that are fitted to.
    """
    split = inner_holdout(samples, 0.2, seed)
    if split is None:
        return z, z
    return z[torch.from_numpy(split[0])][:most], z[torch.from_numpy(split[1])]


class LearntFlow(Trained):
    """Steps that are learnt by likelihood: a subclass gives them."""

    reads: ClassVar[tuple[str, ...]] = ("table", "image")
    answers: ClassVar[tuple[str, ...]] = ("density", "synthesis")
    rate: ClassVar[float] = 2e-3
    """The highest learning rate."""
    moves: ClassVar[int] = 1500
    """Steps that suffice for a thousand rows."""

    @abstractmethod
    def way(self, signature: Signature) -> tuple[Way, bool]:
        """Return how rows are scaled, and whether they are flat."""

    @abstractmethod
    def network(self, signature: Signature) -> Generative:
        """Return the network on scaled rows."""

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the flow behind scaled rows."""
        way, flat = self.way(signature)
        scaled = Scaled(signature, way, flat=flat)
        return Model(scaled, self.network(signature), answer_of(signature, scaled))

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return steps that few rows and many need alike, with a rate that rises and falls.

        Few rows are learnt by heart soon: weights decay, and the best weights are kept.
        """
        batch = 64 if rows < 5000 else 128
        epochs = min(100, max(4, self.moves * batch // rows))
        return Recipe(
            optimizer=OptimizerChoice(lr=self.rate, weight_decay=0.1),
            schedule=Schedule(name="onecycle", warmup=0.1),
            epochs=epochs,
            batch=batch,
            patience=epochs,  # the best comes when the rate has fallen, after long stretches
        )

    def taught(self, task: Task, model: Model) -> Task:
        """Return the task itself, or, where rows are to be drawn, the likelihood to learn by."""
        if model.network.asked == "density":
            return task
        assert isinstance(model.preprocess, Scaled)
        return ByLikelihood(task, model.preprocess)


class ByLikelihood(Taught):
    """A job without densities, as a flow learns it: the loss is minus the log density.

    Args:
        task: whose job it is.
        scaled: knows the grains of the data and how many numbers a row has.
    """

    def __init__(self, task: Task, scaled: Scaled) -> None:
        super().__init__(task, lambda nats, targets: -nats / scaled.features)
        self.grains = scaled.grains

    @property
    def changing(self) -> bool:
        """Say that values are spread over their steps anew."""
        return True

    def outputs(self, network: nn.Module, inputs: Tensor, targets: Tensor) -> Any:
        """Return log densities, whatever the network is asked for later."""
        return network.log_prob(inputs)  # type: ignore[operator]

    def renewed(self, batch: Samples, chance: torch.Generator) -> Samples:
        """Return rows that lie somewhere in what their values stand for."""
        rows = spread(batch.inputs, self.grains, chance)
        return Samples(rows, batch.targets, numbers=batch.numbers)
