"""Q-learning with values that are linear in features of what is seen."""

from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.refusal import Refusal
from gradatim.core.signature import Game, Signature
from gradatim.layers.play.linear import Products
from gradatim.models.play._online_q import OnlineQ

__all__ = ["RUNG", "LinearQ"]


class LinearQ(OnlineQ):
    """Q(s, a) = w_a . f(s), w_a += rate (r + gamma max_a' Q(s', a') - Q(s, a)) f(s).

    f(s) is 1, what is seen, and of numbers their squares and products too.

    Idea: situations that look alike are worth alike, so that not each has to be met.
    Cost: features x actions weights; one pass a move.
    Fails when: what matters is how two things of a picture stand to each other.
    """

    place: ClassVar[int] = 30
    idea: ClassVar[str] = "values actions by a sum over what is seen, for all situations at once"
    source: ClassVar[str] = "Sutton & Barto 2018, equation (16.3) and section 9.5.1"
    deviations: ClassVar[tuple[str, ...]] = (
        *OnlineQ.shared_deviations,
        "Adam instead of plain steps: products of numbers differ much in size",
    )

    games: Annotated[int, Field(ge=1, le=4096)] = 32
    gamma: Annotated[float, Field(ge=0, le=1)] = 0.95
    """A line follows no value far into the future: at 0.99 it did worse than chance on CartPole."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take any game with numbers or pixels to see."""
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return some 20,000 moves of each game at a rate that falls."""
        return Recipe(
            optimizer=OptimizerChoice(lr=1e-2, weight_decay=0.0),
            schedule=Schedule(name="cosine", warmup=0.0),
            epochs=20,
            steps=1000,
            validation=0.0,
            clip=0.0,
        )

    def network(self, game: Game, actions: int) -> nn.Module:
        """Return small weights."""
        return Products(game.shape, actions)


RUNG = LinearQ
