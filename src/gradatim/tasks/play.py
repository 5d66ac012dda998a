"""Play: decide what to do next in a game, for as many points as can be had."""

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn

from gradatim.core.chunks import evaluating
from gradatim.core.errors import ConfigError, NumericError
from gradatim.core.learner import Learner
from gradatim.core.metric import Metric
from gradatim.core.samples import Samples
from gradatim.core.signature import Actions, Game, Signature
from gradatim.core.task import Reading, Task
from gradatim.data.games.games import Games
from gradatim.data.games.opening import opened
from gradatim.ops.play.draws import uniform
from gradatim.ops.play.interquartile import interquartile_mean

__all__ = ["TASK", "Play", "greedy"]

FRAMES = 1500
"""Pictures of a game that are kept; of longer games the beginning."""
AT_ONCE = 256
"""Games that are played side by side."""
TIES = 1000
"""From here on the purposes of chance that tell equal actions apart; those below are the games'."""


class Play(Task):
    """Take the action with the highest value, move after move, until the game is over.

    The score is the mean of full returns: every point of the whole game, unclipped; a lost life
    ends nothing. Actions of equal value are chosen among by chance, which is a function of the
    game's seed and of the move; nothing else is left to chance.

    Args:
        game: which; the data says so (`of`).

    Source: Machado et al. 2018, "Revisiting the Arcade Learning Environment", on how to score.
    Deviations: epsilon is 0 where Mnih et al. 2015 score with 0.05.
    """

    name: ClassVar[str] = "play"
    metrics: ClassVar[Mapping[str, Metric]] = {
        "return": Metric("return", "higher", False, lambda r, _: float(r.mean()), -np.inf),
        "iqm": Metric("iqm", "higher", False, lambda r, _: interquartile_mean(r), -np.inf),
    }
    quality_name: ClassVar[str] = "return"

    def __init__(self, game: Game | None = None) -> None:
        self.game = game

    @property
    def changing(self) -> bool:
        """Say that seeds are no rows to learn from; games give those."""
        return True

    def suits(self, signature: Signature) -> bool:
        """Take games."""
        return isinstance(signature.output, Actions)

    def of(self, signature: Signature) -> Self:
        """Return the task of this game."""
        assert isinstance(signature.input, Game), "actions are of games"
        return type(self)(signature.input)

    def default_metric(self, samples: Samples) -> str:
        """Return the mean return."""
        return "return"

    def step(self, learner: Learner, batch: Samples) -> Mapping[str, Tensor]:
        """Refuse: how a game is learnt is the rung's own, see `Trained.taught`.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("a game can be learnt in many ways; a rung that plays brings its own")

    def answers(self, model: nn.Module, samples: Samples) -> np.ndarray:
        """Return the full returns of the games with these seeds, float32 of shape (rows,)."""
        return self.returns(model, samples.inputs[:, 0]).numpy()

    def encoded(self, model: nn.Module, samples: Samples) -> Samples:
        """Return the seeds as they are: what is seen of a game is there when it is played."""
        return samples

    def read(self, predictions: np.ndarray, samples: Samples) -> Reading:
        """Return the returns, and zeros: no return is the right one."""
        return predictions, np.zeros_like(predictions)

    def quality(self, reading: Reading) -> np.ndarray:
        """Return the return of each game."""
        return reading[0]

    def returns(
        self,
        model: nn.Module,
        seeds: Int64[Tensor, " games"],
        frames: list[np.ndarray] | None = None,
    ) -> Float32[Tensor, " games"]:
        """Play games to their ends; return what each has brought.

        Args:
            model: values actions in what is seen.
            seeds: of the games.
            frames: a list to which pictures of the first game are added.
        """
        with evaluating(model):
            parts = [self._played(model, part, frames) for part in seeds.split(AT_ONCE)]
        return torch.cat(parts)

    def _played(
        self, model: nn.Module, seeds: Int64[Tensor, " games"], frames: list[np.ndarray] | None
    ) -> Float32[Tensor, " games"]:
        assert self.game is not None, "the data said which game"
        games = opened(self.game, len(seeds))
        seen, gained, moment = games.reset(seeds), torch.zeros(len(seeds)), 0
        playing = torch.ones(len(seeds), dtype=torch.bool)
        while playing.any():
            if frames is not None and playing[0] and len(frames) < FRAMES:
                frames.append(games.picture())
            step = games.step(_decided(model, seen, playing, seeds, moment, games))
            seen, gained, moment = step.seen, gained + step.rewards, moment + 1
            playing = playing & ~step.over & ~step.cut
        games.close()
        return gained


def _decided(
    model: nn.Module, seen: Tensor, playing: Tensor, seeds: Tensor, moment: int, games: Games
) -> Int64[Tensor, " games"]:
    """Return an action in every game; those that rest are not asked."""
    values = model(seen[playing])
    if values.shape[1] != len(games.actions):
        expected = f"the game has {len(games.actions)} actions"
        raise ConfigError(f"the model values {values.shape[1]} actions and {expected}; fit anew")
    if not torch.isfinite(values).all():
        raise NumericError("a value of an action is not finite; try a lower learning rate")
    actions = torch.zeros(len(seeds), dtype=torch.int64)
    actions[playing] = greedy(values, seeds[playing], moment)
    return actions


def greedy(
    values: Float[Tensor, "games actions"], seeds: Int64[Tensor, " games"], moment: int
) -> Int64[Tensor, " games"]:
    """Return the best action in each game, one of them by chance where several are the best.

    >>> greedy(torch.tensor([[0.0, 2.0, 1.0]]), torch.tensor([3]), 0).tolist()
    [1]
    """
    best = values == values.max(1, keepdim=True).values
    if not (best.sum(1) > 1).any():
        return values.argmax(1)
    moments = torch.full_like(seeds, moment)
    draws = [uniform(seeds, moments, TIES + action) for action in range(values.shape[1])]
    return torch.where(best, torch.stack(draws, 1), -1.0).argmax(1)


TASK = Play()
