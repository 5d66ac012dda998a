"""What is seen of a game, in the numbers that a network takes."""

import torch
from jaxtyping import Float32, Int64
from torch import Tensor, nn

from gradatim.core.randomness import generator
from gradatim.core.signature import Game
from gradatim.data.games.opening import opened

__all__ = ["Observed", "first_seen"]

GAMES, MOVES = 64, 200
"""How many games are watched, and for how long, to learn how large numbers are."""
DEVIATIONS = 3.0
LARGE = 42  # pixels


class Observed(nn.Module):
    """Pixels in [0, 1]; numbers as (x - centre) / reach, most of them in [-1, 1].

    Where the game knows the bounds of a number, these are centre +- reach; else they are the mean
    and three standard deviations in games that are played by chance. Chance alone would not do:
    who plays well comes to see what it never does, such as a cart far from the middle.

    A model is asked with what is seen of games. Seeds, which are what rows of such data hold, stand
    for the beginnings of their games.

    Args:
        game: of the signature.
        scaled: whether numbers are changed at all.
    """

    centre: Tensor
    reach: Tensor

    def __init__(self, game: Game, *, scaled: bool = True) -> None:
        super().__init__()
        self.game, self.scaled = game, scaled and not game.levels
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
            return _floats(seen).div_(self.game.levels)
        if not self.scaled:
            return seen
        return (seen - self.centre) / self.reach


def _floats(seen: Tensor) -> Float32[Tensor, "rows channels height width"]:
    """Return pixels as numbers, large ones with the channels last: convolved 1.2 times as fast."""
    if seen.shape[-1] < LARGE:
        return seen.float()
    return seen.to(torch.float32, memory_format=torch.channels_last)


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
