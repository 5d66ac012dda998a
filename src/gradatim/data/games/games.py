"""`Games`: many games of one kind, side by side in tensors."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

__all__ = ["Games", "Step"]


@dataclass(frozen=True)
class Step:
    """What one move has brought, a game a row.

    `seen` is what every game looks like now: of one that has just ended, its last picture.
    `rewards` are the game's own, unclipped. `over` says that the rules ended a game, `cut` that the
    time limit did: then the future had a value. `lost` says that a life was lost, which ends
    nothing. A game that has ended rests: no reward, no end.
    """

    seen: Tensor
    rewards: Float32[Tensor, " games"]
    over: Bool[Tensor, " games"]
    cut: Bool[Tensor, " games"]
    lost: Bool[Tensor, " games"]


class Games(ABC):
    """Games side by side. A game is a function of its seed and of the actions that are taken.

    Args:
        count: of games, at least 1.
    """

    shape: tuple[int, ...]
    """Of what is seen of one game at a time."""
    levels: float = 0.0
    """The largest value of a pixel (`seen` is then uint8), 0 where float32 numbers are seen."""
    actions: tuple[str, ...]
    stacked: bool = False
    """Whether the planes that are seen are one picture now and at the moments before, newest last;
    a game begins with zeros before its first."""
    bounds: tuple[Tensor, Tensor] = (torch.tensor(0.0), torch.tensor(1.0))
    """The least and the largest of each number that is seen, infinite where nothing is known."""
    milliseconds: int = 50
    """Of one move, when people watch."""

    def __init__(self, count: int) -> None:
        self.count = count

    def reset(self, seeds: Int64[Tensor, " games"]) -> Tensor:
        """Begin all games; return what is seen of them."""
        return self.begin(torch.ones(self.count, dtype=torch.bool), seeds)

    @abstractmethod
    def begin(self, which: Bool[Tensor, " games"], seeds: Int64[Tensor, " games"]) -> Tensor:
        """Begin some games anew with their entry of `seeds`; return what is seen of all."""

    @abstractmethod
    def step(self, actions: Int64[Tensor, " games"]) -> Step:
        """Take one action in every game that has not ended."""

    @abstractmethod
    def picture(self, game: int = 0) -> np.ndarray:
        """Return a game as people look at it, uint8 of shape (height, width, 3)."""

    @abstractmethod
    def state_dict(self) -> dict[str, Tensor]:
        """Return where all games are: enough to go on with the same bits. Nobody may change it."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Tensor]) -> Tensor:
        """Go back to where games of the same making were; return what is seen of them."""

    def close(self) -> None:
        """Free what is not memory; here nothing."""
        return
