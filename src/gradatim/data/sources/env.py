"""Games: a row is the seed of one."""

import hashlib
from typing import ClassVar

import torch

from gradatim.core.errors import ConfigError
from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Actions, Game, Signature
from gradatim.core.source import ReadOptions, Source
from gradatim.data.games.opening import games_named

__all__ = ["SEEDS", "SOURCE", "Env"]

SEEDS, SEALED = 600, 100


class Env(Source):
    """`env:breakout10`, `env:CartPole-v1` and its kin, `env:ALE/Breakout-v5` and its kin.

    There are 600 games, numbered by their seeds, of which the last 100 are sealed. Those of the
    training rows teach, those of the validation rows score.
    """

    summary: ClassVar[str] = "a game to play: breakout10, CartPole-v1, ALE/Breakout-v5, ..."

    def claims(self, location: str, options: ReadOptions) -> bool:
        """Claim nothing: a game is no path, and `env:` says what is meant."""
        return False

    def read(self, location: str, options: ReadOptions) -> Dataset:
        """Return the seeds of games.

        Raises:
            ConfigError: there is no such game, a package is missing, or a model plays another one.
        """
        asked = [name for name in (options.target, options.group, options.time) if name]
        if asked and options.signature is None:
            raise ConfigError(f"games have no columns; leave out {', '.join(asked)}")
        name = location.strip()
        games = games_named(name, 1)
        games.close()
        game = Game(name=name, shape=games.shape, levels=games.levels)
        signature = Signature(input=game, output=Actions(names=games.actions))
        if options.signature not in (None, signature):
            known = options.signature.input
            meant = f"env:{known.name}" if isinstance(known, Game) else "what it was fitted to"
            raise ConfigError(f"the model does not play {name}; give {meant}")
        seeds = torch.arange(SEEDS)
        return Dataset(
            name=name,
            samples=Samples(seeds[:, None], torch.zeros(SEEDS, 1)),
            signature=signature,
            row_names=[f"game {seed}" for seed in range(SEEDS)],
            fingerprint=hashlib.sha256(signature.model_dump_json().encode()).hexdigest(),
            source="env",
            sealed=seeds >= SEEDS - SEALED,
        )


SOURCE = Env()
