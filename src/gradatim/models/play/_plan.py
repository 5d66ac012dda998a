"""How deep Q-networks are trained on each kind of game."""

from collections.abc import Mapping

from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule, Settings
from gradatim.core.signature import Game

__all__ = ["Plan", "plan_for", "recipe_for"]


class Plan(Settings):
    """Numbers of the algorithm. Moves are those of one game; `games` of them stand side by side."""

    games: int
    memory: int
    """Moves of all games together that are remembered."""
    begin: int
    """Moves by chance, of all games together, before anything is learnt."""
    explore: int
    """Moves until epsilon has fallen to its end."""
    epsilon: float
    target_every: int
    """Steps between two copies of the network to the target."""
    updates: int
    """Batches that are descended after each move."""
    gamma: float
    delta: float
    """Errors above this count by their size, not by its square (Huber)."""


PLANS = {
    "numbers": Plan(
        games=8,
        memory=200_000,
        begin=1000,
        explore=3000,
        epsilon=0.05,
        target_every=25,
        updates=1,
        gamma=0.99,
        delta=1e3,
    ),
    "planes": Plan(
        games=64,
        memory=200_000,
        begin=10_000,
        explore=4000,
        epsilon=0.02,
        target_every=250,
        updates=1,
        gamma=0.99,
        delta=1.0,
    ),
    "pixels": Plan(
        games=32,
        memory=30_000,  # 200 MB; more would make every checkpoint as large
        begin=10_000,
        explore=8000,
        epsilon=0.01,
        target_every=250,
        updates=8,
        gamma=0.99,
        delta=1.0,
    ),
}
RECIPES: dict[str, dict[str, int | float]] = {
    "numbers": {"lr": 1e-3, "epochs": 32, "steps": 500, "batch": 128},
    "planes": {"lr": 1e-3, "epochs": 30, "steps": 1000, "batch": 128},
    "pixels": {"lr": 1e-4, "epochs": 80, "steps": 1000, "batch": 32},
}


def kind_of(game: Game) -> str:
    """Return what is seen: numbers, planes of 0 and 1, or pixels."""
    if not game.levels:
        return "numbers"
    return "pixels" if game.levels > 1 else "planes"


def plan_for(game: Game, own: Mapping[str, int | float | None]) -> Plan:
    """Return the plan for a game; numbers of a rung's own that are not None go before.

    >>> plan_for(Game(name="breakout10", shape=(4, 10, 10), levels=1), {"games": 3}).games
    3
    """
    given = {name: value for name, value in own.items() if value is not None}
    return Plan.parse(PLANS[kind_of(game)].model_dump() | given, "model.")


def recipe_for(game: Game) -> Recipe:
    """Return the recipe for a game: the rate falls to nothing, so that the last policy is calm."""
    numbers = RECIPES[kind_of(game)]
    return Recipe(
        optimizer=OptimizerChoice(lr=numbers["lr"], weight_decay=0.0),
        schedule=Schedule(name="cosine", warmup=0.0),
        epochs=int(numbers["epochs"]),
        steps=int(numbers["steps"]),
        batch=int(numbers["batch"]),
        validation=0.0,
        clip=0.0,
    )
