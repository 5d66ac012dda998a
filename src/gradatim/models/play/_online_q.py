"""What Q-learning without a memory shares: every move teaches once, as it is made."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.learner import Learner
from gradatim.core.rung import Model, Trained
from gradatim.core.samples import Samples
from gradatim.core.signature import Game, Signature
from gradatim.core.task import Learning, Task
from gradatim.layers.play.values import Values
from gradatim.models.play._acting import Acting, Move, reported
from gradatim.models.play._observed import Observed
from gradatim.ops.play.returns import OVER, RESTS

__all__ = ["OnlineQ", "OnlineQLearning"]


class OnlineQLearning(Learning):
    """Q(s, a) <- Q(s, a) + rate (r + gamma max_a' Q(s', a') - Q(s, a)), in games side by side.

    That is a step down (aim - Q(s, a))^2 / 2, the aim held still: a semi-gradient.

    Args:
        task: whose job it is.
        rung: all numbers.
        observe: the preprocessing of the model.

    Source: Watkins 1989; Sutton & Barto 2018, section 6.5 and equation (16.3).
    """

    def __init__(self, task: Task, rung: "OnlineQ", observe: Observed) -> None:
        super().__init__(task)
        self.rung, self.observe = rung, observe
        self.acting = Acting(observe.game, rung.games, clip=observe.game.levels > 1)

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Act in every game, then learn from these moves; the batch says which games begin."""
        with torch.no_grad():
            values = partial(self._values, learner.model)
            epsilon = self.rung.share(learner.step)
            move = self.acting.move(learner, values, epsilon, batch.inputs[:, 0])
        loss, norm = learner.descend(partial(self._loss, learner.model, move))
        return reported(learner, loss, norm, 1)

    def _values(self, network: nn.Module, seen: Tensor) -> Tensor:
        values: Tensor = network(self.observe(seen))
        return values

    def _loss(self, network: nn.Module, move: Move) -> Tensor:
        with torch.no_grad():
            future = self._values(network, move.later).max(1).values
            aim = move.rewards + self.rung.gamma * future * (move.ends != OVER)
        said = self._values(network, move.seen).gather(1, move.actions[:, None])[:, 0]
        return ((aim - said).square() * (move.ends != RESTS)).sum() / 2


class OnlineQ(Trained):
    """Values that are linear in something, learnt while playing."""

    shared_deviations: ClassVar[tuple[str, ...]] = (
        "several games side by side, which share what they learn",
        "epsilon falls in a line",
    )
    reads: ClassVar[tuple[str, ...]] = ("game",)
    answers: ClassVar[tuple[str, ...]] = ("actions",)
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {"tiny": {"games": 4}}

    games: Annotated[int, Field(ge=1, le=4096)] = 16
    explore: Annotated[int, Field(ge=1, le=10**8)] = 5000
    """Moves until epsilon has fallen to its end."""
    epsilon: Annotated[float, Field(ge=0, le=1)] = 0.05
    gamma: Annotated[float, Field(ge=0, le=1)] = 0.99

    def share(self, step: int) -> float:
        """Return the share of actions by chance."""
        return max(self.epsilon, 1 - (1 - self.epsilon) * step / self.explore)

    @abstractmethod
    def network(self, game: Game, actions: int) -> nn.Module:
        """Return what values actions in what is seen."""

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return values that know nothing yet."""
        game = signature.input
        assert isinstance(game, Game), "games are read"
        return Model(Observed(game), self.network(game, signature.outputs), Values())

    def taught(self, task: Task, model: Model) -> Task:
        """Return the task as it is learnt by playing."""
        assert isinstance(model.preprocess, Observed), "built here"
        return OnlineQLearning(task, self, model.preprocess)
