"""What is seen of a game, in the numbers that a network takes."""

import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor, nn

from gradatim.core.randomness import generator
from gradatim.core.signature import Game
from gradatim.data.games.opening import opened
from gradatim.layers.play.networks import large
from gradatim.ops.play.tiles import tiled, woven

__all__ = ["Observed", "first_seen"]

GAMES, MOVES = 64, 200
"""How many games are watched, and for how long, to learn how large numbers are."""
DEVIATIONS = 3.0
PICTURES = 4
"""Dimensions of several pictures of several games; tiles have one more."""


class Observed(nn.Module):
    """Pixels in [0, 1], of large pictures in tiles; numbers as (x - centre) / reach.

    Most numbers are in [-1, 1]. Where the game knows their bounds, these are centre +- reach; else
    they are the mean and three standard deviations in games that are played by chance. Chance alone
    would not do: who plays well comes to see what it never does, such as a cart far from the
    middle.

    A model is asked with what is seen of games, or with what was `kept` of that. Seeds, which are
    what rows of such data hold, stand for the beginnings of their games.

    Args:
        game: of the signature.
        scaled: whether numbers are changed at all.
    """

    centre: Tensor
    reach: Tensor

    def __init__(self, game: Game, *, scaled: bool = True) -> None:
        super().__init__()
        self.game, self.scaled, self.tiles = game, scaled and not game.levels, large(game)
        if self.scaled:
            self.register_buffer("centre", torch.zeros(game.shape))
            self.register_buffer("reach", torch.ones(game.shape))

    def fit(self, seeds: Int64[Tensor, "rows 1"]) -> "Observed":
        """Ask for bounds, and watch some of these games, played by chance."""
        if not self.scaled:
            return self
        seen, (low, high) = _watched(self.game, seeds[:GAMES, 0])
        known = torch.isfinite(low) & torch.isfinite(high)
        self.centre.copy_(torch.where(known, (low + high) / 2, seen.mean(0)))
        reach = torch.where(known, (high - low) / 2, DEVIATIONS * seen.std(0))
        self.reach.copy_(reach.clamp_min(1e-6))
        return self

    def forward(self, inputs: Tensor) -> Float32[Tensor, "rows ..."]:
        """Return features of what is seen, or of the beginnings of games with these seeds."""
        seen = first_seen(self.game, inputs) if inputs.dtype == torch.int64 else inputs
        if self.game.levels:
            return self._planes(seen).float().div_(self.game.levels)
        if not self.scaled:
            return seen
        return (seen - self.centre) / self.reach

    def kept(self, seen: Tensor) -> Tensor:
        """Return what is seen as a memory keeps it: large pictures in tiles."""
        return tiled(seen) if self.tiles else seen

    def _planes(self, seen: Tensor) -> UInt8[Tensor, "rows channels down across"]:
        if not self.tiles:
            return seen
        return woven(seen if seen.dim() == PICTURES + 1 else tiled(seen))


def first_seen(game: Game, seeds: Int64[Tensor, "rows 1"]) -> Tensor:
    """Return what games with these seeds show before the first move."""
    games = opened(game, len(seeds))
    seen = games.reset(seeds[:, 0])
    games.close()
    return seen


def _watched(game: Game, seeds: Int64[Tensor, " games"]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return what is seen in games that are played by chance, up to their ends, and the bounds."""
    games, chance = opened(game, len(seeds)), generator(0, "watched games")
    seen, playing, shown = games.reset(seeds), torch.ones(len(seeds), dtype=torch.bool), []
    for _ in range(MOVES):
        shown.append(seen[playing])
        step = games.step(torch.randint(len(games.actions), (len(seeds),), generator=chance))
        seen, playing = step.seen, playing & ~step.over & ~step.cut
        if not playing.any():
            break
    games.close()
    return torch.cat(shown), games.bounds
