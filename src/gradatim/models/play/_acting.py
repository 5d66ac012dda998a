"""A learner that plays: games side by side, and all that changes in the learner's memory."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor

from gradatim.core.learner import Learner
from gradatim.core.signature import Game
from gradatim.data.games.games import Games
from gradatim.data.games.opening import opened
from gradatim.ops.play.returns import CUT, OVER, RESTS

__all__ = ["Acting", "Move", "reported"]

STATE = "games.state."
SLOWLY = 0.02
"""Weight of the last finished game in the running mean of returns."""


@dataclass(frozen=True)
class Move:
    """One move in all games: what was seen, what was done, what came of it.

    `later` is what is seen now; of a game that has ended, its last picture. `ends` as in
    `ops.play.returns`.
    """

    seen: Tensor
    actions: Int64[Tensor, " games"]
    rewards: Float32[Tensor, " games"]
    ends: UInt8[Tensor, " games"]
    later: Tensor


class Acting:
    """Games in which a learner acts, greedily but for a share of actions by chance.

    A game that has ended shows its last picture for one move, at which nothing is done; then the
    next one begins.

    Args:
        game: of the signature.
        count: of games side by side.
        clip: whether rewards are cut to [-1, 1] for the learner, as Mnih et al. 2015 do.
    """

    def __init__(self, game: Game, count: int, clip: bool) -> None:
        self.game, self.count, self.clip = game, count, clip
        self._games: Games | None = None
        self._seen, self._latest = torch.empty(0), torch.empty(0)

    @property
    def games(self) -> Games:
        """The games, opened when they are first asked for."""
        if self._games is None:
            self._games = opened(self.game, self.count)
        return self._games

    def move(
        self,
        learner: Learner,
        values: Callable[[Tensor], Tensor],
        epsilon: float,
        seeds: Int64[Tensor, " seeds"],
    ) -> Move:
        """Act once in every game.

        Args:
            learner: its memory says how the games stand, and is brought up to date.
            values: of every action in what is seen.
            epsilon: share of actions by chance, from torch's global generator.
            seeds: of the games that begin now, each used as often as needed.
        """
        memory, seeds = learner.memory, seeds[torch.arange(self.count) % len(seeds)]
        games = self._standing(memory, seeds)
        seen, rested = self._seen, memory["games.ended"]
        actions = self._chosen(values, seen, epsilon)
        step = games.step(actions)
        over = step.over | step.lost
        ends = torch.where(rested, RESTS, torch.where(over, OVER, torch.where(step.cut, CUT, 0)))
        self._seen = games.begin(rested, seeds) if rested.any() else step.seen
        self._note(memory, step.rewards, step.over | step.cut)
        rewards = step.rewards.clamp(-1, 1) if self.clip else step.rewards
        return Move(seen, actions, rewards, ends.to(torch.uint8), step.seen)

    def _chosen(
        self, values: Callable[[Tensor], Tensor], seen: Tensor, epsilon: float
    ) -> Int64[Tensor, " games"]:
        """Return the best action, or any with chance epsilon; at 1 nobody is asked."""
        any_action = torch.randint(len(self.games.actions), (self.count,))
        if epsilon >= 1:
            return any_action
        return torch.where(torch.rand(self.count) < epsilon, any_action, values(seen).argmax(1))

    def _standing(self, memory: dict[str, Tensor], seeds: Tensor) -> Games:
        """Return the games as the memory says they stand; a learner may have been restored."""
        games = self.games
        if "games.gained" not in memory:
            self._seen = games.reset(seeds)
            memory["games.ended"] = torch.zeros(self.count, dtype=torch.bool)
            memory["games.gained"] = self._latest = torch.zeros(self.count)
            memory["games.return"] = torch.zeros(2)
        elif memory["games.gained"] is not self._latest:
            state = {k.removeprefix(STATE): v for k, v in memory.items() if k.startswith(STATE)}
            self._seen, self._latest = games.load_state_dict(state), memory["games.gained"]
        return games

    def _note(
        self, memory: dict[str, Tensor], rewards: Tensor, ended: Bool[Tensor, " games"]
    ) -> None:
        """Keep how the games stand, and a running mean of the full returns of finished ones."""
        memory |= {STATE + name: tensor for name, tensor in self.games.state_dict().items()}
        gained = memory["games.gained"] + rewards
        total, weight = memory["games.return"]
        for value in gained[ended]:
            total, weight = (1 - SLOWLY) * total + value, (1 - SLOWLY) * weight + 1
        memory["games.return"] = torch.stack([total, weight])
        memory["games.ended"] = ended
        memory["games.gained"] = self._latest = gained.masked_fill(ended, 0)


def reported(learner: Learner, loss: Tensor, norm: Tensor, gradients: int) -> dict[str, Tensor]:
    """Return what is recorded of a step; "return" is a running mean over finished games."""
    total, weight = learner.memory["games.return"]
    return {
        "loss": loss,
        "gradient_norm": norm,
        "evaluations": torch.tensor(float(gradients)),
        "return": total / weight.clamp_min(1e-9),
    }
