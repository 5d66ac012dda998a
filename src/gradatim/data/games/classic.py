"""Games of gymnasium, such as CartPole-v1: one environment a game."""

from math import inf
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from gradatim.core.errors import ConfigError, nearest
from gradatim.data.games.extra import gymnasium
from gradatim.data.games.games import Step
from gradatim.data.games.replayed import Replayed

__all__ = ["Classic", "made"]

LARGEST = 1e6
SEEDS = 2**31 - 1
"""Seeds of gymnasium are taken modulo this."""


class Classic(Replayed):
    """Environments with numbers or pixels to see and a number of actions, side by side.

    Args:
        name: of the environment, with its version.
        count: of games.

    Raises:
        ConfigError: gymnasium is not there, knows no such name, or the environment is of another
            kind.
    """

    def __init__(self, name: str, count: int) -> None:
        super().__init__(count)
        self._made = [made(name) for _ in range(count)]
        first = self._made[0]
        seen, moves = first.observation_space, first.action_space
        pixels = seen.dtype == np.uint8 and len(seen.shape) == 3
        self._pixels, self._start = pixels, int(moves.start)
        height, width, *channels = seen.shape if pixels else (0, 0)
        self.shape = (*channels, height, width) if pixels else tuple(seen.shape)
        self.levels = 255.0 if pixels else 0.0
        self.bounds = _bound(seen.low), _bound(seen.high)
        self.actions = tuple(str(i) for i in range(int(moves.n)))
        dtype = torch.uint8 if pixels else torch.float32
        self._now = torch.zeros(count, *self.shape, dtype=dtype)
        self.milliseconds = round(1000 / first.metadata.get("render_fps", 20))

    def _begin(self, which: Bool[Tensor, " games"], seeds: Int64[Tensor, " games"]) -> Tensor:
        self._now = self._now.clone()
        for game in which.nonzero()[:, 0].tolist():
            self._now[game] = self._read(self._made[game].reset(seed=int(seeds[game]) % SEEDS)[0])
        return self._now

    def _step(self, actions: Int64[Tensor, " games"], playing: Bool[Tensor, " games"]) -> Step:
        rewards, ends = torch.zeros(self.count), torch.zeros(2, self.count, dtype=torch.bool)
        self._now = self._now.clone()
        moves = (actions + self._start).tolist()
        for game in playing.nonzero()[:, 0].tolist():
            seen, reward, over, cut, _ = self._made[game].step(moves[game])
            self._now[game] = self._read(seen)
            rewards[game] = float(reward)
            ends[0, game], ends[1, game] = bool(over), bool(cut) and not over
        return Step(self._now, rewards, ends[0], ends[1], torch.zeros(self.count, dtype=torch.bool))

    def _read(self, seen: Any) -> Tensor:
        if self._pixels:
            return torch.from_numpy(np.ascontiguousarray(seen.transpose(2, 0, 1)))
        return torch.from_numpy(np.asarray(seen, dtype=np.float32))

    def picture(self, game: int = 0) -> np.ndarray:
        """Return what the environment draws of a game.

        Raises:
            ConfigError: a package that it draws with is missing.
        """
        try:
            return np.asarray(self._made[game].render())
        except gymnasium().error.DependencyNotInstalled as error:
            text = f"this game cannot be drawn: {error}"
            raise ConfigError(f'{text}; install it: pip install "gradatim[games]"') from error

    def close(self) -> None:
        """Close the environments."""
        for environment in self._made:
            environment.close()


def _bound(values: np.ndarray) -> Tensor:
    """Return bounds; some environments write the largest float for none."""
    bound = torch.from_numpy(values.astype(np.float32))
    return bound.masked_fill(bound.abs() > LARGEST, inf)


def made(name: str) -> Any:
    """Return an environment of a kind that a network can play."""
    known = gymnasium()
    try:
        environment = known.make(name, render_mode="rgb_array", disable_env_checker=True)
    except known.error.DependencyNotInstalled as error:
        raise ConfigError(f'gymnasium cannot make "{name}": {error}') from error
    except (known.error.Error, TypeError) as error:
        hint = nearest(name, [*known.registry, "breakout10"])
        raise ConfigError(f'gymnasium has no game "{name}"; {hint}') from error
    spaces = known.spaces
    seen, moves = environment.observation_space, environment.action_space
    if not isinstance(seen, spaces.Box) or not isinstance(moves, spaces.Discrete):
        environment.close()
        kinds = f"shows {type(seen).__name__} and takes {type(moves).__name__}"
        raise ConfigError(
            f"{name} {kinds}; expected numbers or pixels (Box) and a number of actions "
            "(Discrete), such as env:CartPole-v1"
        )
    return environment
