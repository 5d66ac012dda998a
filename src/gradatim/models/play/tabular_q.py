"""Q-learning with a table: one value a cell of what is seen, and action."""

from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.refusal import Refusal
from gradatim.core.signature import Game, Signature
from gradatim.layers.play.linear import Table
from gradatim.models.play._online_q import OnlineQ

__all__ = ["RUNG", "TabularQ"]

MOST = 300_000
"""Cells that a table may have."""


class TabularQ(OnlineQ):
    """Q[s, a] += rate (r + gamma max_a' Q[s', a'] - Q[s, a]), s a cell of what is seen.

    Idea: what an action is worth can be learnt from what came of it, without a model of the game.
    Cost: cells^numbers x actions values; one of them changes a move.
    Fails when: more than a few numbers are seen, for no cell tells anything about the next.
    """

    place: ClassVar[int] = 20
    idea: ClassVar[str] = "learns what each action is worth in each of many situations"
    source: ClassVar[str] = "Watkins 1989; Watkins & Dayan 1992, Q-learning"
    deviations: ClassVar[tuple[str, ...]] = (
        *OnlineQ.shared_deviations,
        "numbers are cut into cells of equal width between their bounds where these are known",
    )

    cells: Annotated[int, Field(ge=2, le=1000)] = 8
    """Parts of each axis."""

    def accepts(self, signature: Signature) -> Refusal | None:
        """Take games of which few numbers are seen."""
        game = signature.input
        assert isinstance(game, Game), "games are read"
        if game.levels or len(game.shape) > 1:
            return Refusal("pictures have more states than a table can hold", "use linear_q")
        if self.cells ** game.shape[0] > MOST:
            cells = f"{game.shape[0]} numbers in {self.cells} cells each need too large a table"
            return Refusal(cells, "use linear_q, or fewer: --set model.cells=4")
        return None

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return some 20,000 moves of each game at a rate that falls."""
        return Recipe(
            optimizer=OptimizerChoice(name="sgd", lr=0.2, weight_decay=0.0),
            schedule=Schedule(name="cosine", warmup=0.0),
            epochs=20,
            steps=1000,
            validation=0.0,
            clip=0.0,
        )

    def network(self, game: Game, actions: int) -> nn.Module:
        """Return the table."""
        return Table(game.shape[0], self.cells, actions)


RUNG = TabularQ
