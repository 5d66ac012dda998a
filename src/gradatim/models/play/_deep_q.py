"""What the deep Q-networks share: Q-learning from a memory, against a copy of the network."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float32
from pydantic import Field
from torch import Tensor, nn

from gradatim.core.learner import Learner
from gradatim.core.recipe import Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Trained
from gradatim.core.samples import Samples
from gradatim.core.signature import Game, Signature
from gradatim.core.task import Learning, Task
from gradatim.layers.play.networks import trunk
from gradatim.layers.play.values import Values
from gradatim.models.play._acting import Acting, reported
from gradatim.models.play._observed import Observed
from gradatim.models.play._plan import Plan, plan_for, recipe_for
from gradatim.ops.play.answers import Answers, unasked
from gradatim.ops.play.replay import Moments, Replay, empty

__all__ = ["DeepQ", "DeepQLearning"]

MEMORY, TARGET, ANSWERS = "replay.", "target.", "answers."  # in a learner's memory
Asking = Callable[[Tensor, Callable[[Tensor], Tensor]], Tensor]
Few = Annotated[int, Field(ge=1, le=4096)] | None
Many = Annotated[int, Field(ge=1, le=10**8)] | None
Share = Annotated[float, Field(ge=0, le=1)] | None


class DeepQLearning(Learning):
    """Algorithm 1 of Mnih et al. 2015, with several games side by side.

    Args:
        task: whose job it is.
        rung: says what the future is worth.
        observe: the preprocessing of the model.
        plan: all numbers.
    """

    def __init__(self, task: Task, rung: "DeepQ", observe: Observed, plan: Plan) -> None:
        super().__init__(task)
        self.rung, self.observe, self.plan = rung, observe, plan
        self.acting = Acting(observe.game, plan.games, clip=observe.game.levels > 1)
        self.target: nn.Module = nn.Identity()  # until there is a network to copy
        self.copied: dict[str, Tensor] = {}

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Act, remember, draw, descend; every so many steps the target becomes the network.

        The batch says how many moments are drawn, and which games begin.
        """
        plan, seeds = self.plan, batch.inputs[:, 0]
        replay = self._replay(learner)
        while replay.filled < min(-(-plan.begin // plan.games), replay.moments):
            self._act(learner, replay, 1.0, seeds)
        self._act(learner, replay, self.epsilon(learner.step), seeds)
        self._synchronise(learner)
        moments = replay.draw(plan.updates * len(batch), self.rung.n, plan.gamma)
        aims = self.aims(learner, replay, moments, len(batch)).split(len(batch))
        for part, aim in zip(moments.split(len(batch)), aims, strict=True):
            seen = replay.seen(part.now)
            loss, norm = learner.descend(partial(self.loss_of, learner.model, seen, part, aim))
        return reported(learner, loss, norm, plan.updates)

    def epsilon(self, step: int) -> float:
        """Return the share of actions by chance: it falls in a line from 1 to its end."""
        end = self.plan.epsilon
        return max(end, 1 - (1 - end) * step / self.plan.explore)

    @torch.no_grad()
    def aims(
        self, learner: Learner, replay: Replay, moments: Moments, rows: int
    ) -> Float32[Tensor, " moments"]:
        """Return r + gamma^n times the future of every moment, `rows` of them at a time."""

        def by(network: nn.Module, later: Tensor) -> Tensor:
            parts = later.split(rows)
            return torch.cat([network(self.observe(replay.seen(part))) for part in parts])

        said = self._answers(learner, replay, rows)(moments.later, partial(by, self.target))
        future = self.rung.future(said, partial(by, learner.model, moments.later))
        return moments.returns + moments.discounts * future

    def loss_of(
        self,
        network: nn.Module,
        seen: Tensor,
        moments: Moments,
        aims: Float32[Tensor, " rows"],
    ) -> Float32[Tensor, ""]:
        """Return the mean loss of Q(s, a) against the aims."""
        values = network.train()(self.observe(seen))
        said = values.gather(1, moments.actions[:, None])[:, 0]
        delta, weights = self.plan.delta, moments.weights
        losses = nn.functional.huber_loss(said, aims, reduction="none", delta=delta)
        return (losses * weights).sum() / weights.sum().clamp_min(1)

    @torch.no_grad()
    def _act(self, learner: Learner, replay: Replay, epsilon: float, seeds: Tensor) -> None:
        def values(seen: Tensor) -> Tensor:
            said: Tensor = learner.model(self.observe(seen))
            return said

        move = self.acting.move(learner, values, epsilon, seeds)
        newest = move.seen[:, -1:] if replay.stacked else move.seen
        replay.add(self.observe.kept(newest), move.actions, move.rewards, move.ends)

    def _replay(self, learner: Learner) -> Replay:
        """Return what is remembered, a part of the learner's memory."""
        memory, game, games = learner.memory, self.observe.game, self.plan.games
        stacked = self.acting.games.stacked
        nothing = torch.zeros(1, *game.shape, dtype=torch.uint8 if game.levels else torch.float32)
        shape = tuple(self.observe.kept(nothing).shape[1:])
        if MEMORY + "written" not in memory:
            moments = max(2 * self.rung.n + game.shape[0], self.plan.memory // games)
            made = empty(moments, games, shape, game.levels, stacked)
            memory |= {MEMORY + name: tensor for name, tensor in made.items()}
        return Replay(_under(memory, MEMORY), shape, game.levels, stacked)

    def _answers(self, learner: Learner, replay: Replay, rows: int) -> Asking:
        """Return how the target is asked: once about a moment, where they are drawn more often."""
        plan, memory = self.plan, learner.memory
        if plan.target_every * plan.updates * rows < plan.memory:
            return lambda moments, ask: ask(moments)
        if ANSWERS + "about" not in memory:
            made = unasked(replay.moments * replay.games, len(self.acting.games.actions))
            memory |= {ANSWERS + name: tensor for name, tensor in made.items()}
        return Answers(_under(memory, ANSWERS)).to

    @torch.no_grad()
    def _synchronise(self, learner: Learner) -> None:
        """Copy the network to the target when it is time; else the target is what memory says."""
        if not self.copied:
            self.target = deepcopy(learner.model).requires_grad_(False).eval()
            self.copied = dict(self.target.state_dict())
        first = TARGET + next(iter(self.copied))
        if learner.step % self.plan.target_every == 0:
            now = learner.model.state_dict()
            if ANSWERS + "about" in learner.memory:
                Answers(_under(learner.memory, ANSWERS)).forget()
        elif learner.memory[first] is self.copied[first.removeprefix(TARGET)]:
            return
        else:  # the learner was restored
            now = {name: learner.memory[TARGET + name] for name in self.copied}
        for name, value in self.copied.items():
            value.copy_(now[name])
            learner.memory[TARGET + name] = value


def _under(memory: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in memory.items() if k.startswith(prefix)}


class DeepQ(Trained):
    """A network that values actions, taught by what came of them.

    Numbers that are None are as the kind of game asks: `_plan.py`.
    """

    shared_deviations: ClassVar[tuple[str, ...]] = (
        "several games side by side, and a batch for each of their common moves",
        "Adam, and a rate that falls to nothing, instead of RMSprop at one rate",
        "numbers and small planes: one network and plan each, docs/experiments.md",
        "squared errors where numbers are seen: Huber's look at the median and not at rare falls",
        "a memory of 30,000 moves of Atari, not a million: it is a part of every checkpoint",
        "rewards are cut to [-1, 1] where pixels are seen, and nowhere else",
        "aims of all batches of a move are computed before the first of them is descended",
    )
    reads: ClassVar[tuple[str, ...]] = ("game",)
    answers: ClassVar[tuple[str, ...]] = ("actions",)
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 16, "kernels": 4, "games": 4, "memory": 400, "begin": 64}
    }

    width: Annotated[int, Field(ge=1, le=65_536)] = 128
    """Of the dense layers; of the last one of the network on pixels, 4 times as many."""
    kernels: Annotated[int, Field(ge=1, le=4096)] = 16
    """Of the convolution on small planes."""
    n: Annotated[int, Field(ge=1, le=100)] = 1
    """Moves whose rewards are summed before the network says what the rest is worth."""
    games: Few = None
    memory: Many = None
    begin: Many = None
    explore: Many = None
    epsilon: Share = None
    target_every: Many = None
    updates: Few = None
    gamma: Share = None
    delta: Annotated[float, Field(gt=0, le=1e6)] | None = None

    @abstractmethod
    def future(
        self, said: Float32[Tensor, "rows actions"], ask: Callable[[], Tensor]
    ) -> Float32[Tensor, " rows"]:
        """Return what is expected from what is seen later on.

        Args:
            said: by the target, of every action.
            ask: for what the network says.
        """

    def head(self, features: int, actions: int) -> nn.Module:
        """Return the layers that value actions."""
        return nn.Linear(features, actions)

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any game with numbers or pixels to see."""
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return as many steps as the kind of game asks; how many seeds there are is no matter."""
        assert isinstance(signature.input, Game), "games are read"
        return recipe_for(signature.input)

    def build(self, signature: Signature, extents: Mapping[str, int]) -> Model:
        """Return the network for what is seen of this game."""
        game = signature.input
        assert isinstance(game, Game), "games are read"
        width = self.width * (4 if game.levels > 1 else 1)
        layers = trunk(game, self.kernels, width)
        network = nn.Sequential(*layers, self.head(width, signature.outputs))
        return Model(Observed(game), network, Values())

    def taught(self, task: Task, model: Model) -> Task:
        """Return the task as it is learnt by playing."""
        observe = model.preprocess
        assert isinstance(observe, Observed), "built here"
        own = {name: getattr(self, name) for name in Plan.model_fields}
        return DeepQLearning(task, self, observe, plan_for(observe.game, own))
