"""What adversaries share: two players with an optimizer each."""

from collections.abc import Mapping

from torch import nn

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.task import Learning

__all__ = ["Game", "recipe_of_players"]


class Game(Learning):
    """A task as two players learn it: a subclass gives `step`, the paper's algorithm box."""

    def players(self, network: nn.Module) -> Mapping[str, nn.Module]:
        """Return both players, each of which has an optimizer of its own."""
        names = ("discriminator", "generator")
        return {name: network.get_submodule(name) for name in names}


def recipe_of_players(rows: int, steps: int, batch: int, rho: float) -> Recipe:
    """Return a training of twenty epochs without clipping, a quarter as long for few rows.

    RMSProp is Adam with b1 = 0 and b2 = rho but for the start: a memory of directions pushes two
    players past each other.

    Args:
        rows: that are learnt from.
        steps: an epoch, for thousands of rows.
        batch: rows a step.
        rho: memory for squared gradients.
    """
    return Recipe(
        optimizer=OptimizerChoice(name="rmsprop", lr=5e-4, rho=rho),
        schedule=Schedule(name="cosine"),
        epochs=20,
        steps=steps if rows > 5000 else steps // 4,
        batch=batch,
        validation=0,
        clip=0,
    )
