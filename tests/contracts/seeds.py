"""Seeds of games, for the contracts: one game of planes, one of numbers."""

import torch

from gradatim.core.samples import Samples
from gradatim.core.signature import Actions, Game, Signature

__all__ = ["SEEDS", "seeds"]

SEEDS = {
    "breakout-actions": Signature(
        input=Game(name="breakout10", shape=(4, 10, 10), levels=1.0),
        output=Actions(names=("stay", "left", "right")),
    ),
    "pole-actions": Signature(
        input=Game(name="CartPole-v1", shape=(4,)), output=Actions(names=("0", "1"))
    ),
}


def seeds(rows: int) -> Samples:
    """Rows that fit a signature; a game has no right answers."""
    return Samples(torch.arange(rows)[:, None], torch.zeros(rows, 1))
