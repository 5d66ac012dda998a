"""Games of the Atari 2600: the vector environment of the Arcade Learning Environment."""

import re

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from gradatim.core.errors import ConfigError, nearest
from gradatim.data.games.extra import ale_py, gymnasium
from gradatim.data.games.games import Step
from gradatim.data.games.replayed import Replayed

__all__ = ["Atari"]

NAME = re.compile(r"ALE/(?P<rom>[A-Za-z0-9]+)-v(?P<version>\d+)")
STICKY = 0.25
FRAMES = 108_000  # of a game, at the most: half an hour
SKIPPED, STACKED, SIDE, IDLE = 4, 4, 84, 30
SEEDS = 2**31 - 1
THREADS = 1
"""Folds run side by side, one thread each."""


class Atari(Replayed):
    """`ALE/NAME-v5` with the usual preprocessing.

    An action lasts four frames, of the last two of which the brighter pixels are seen, in grey, 84
    x 84, four such pictures at a time; games begin with up to 30 idle frames, and with the fire
    button where that is needed. With chance 0.25 a frame repeats the last action.

    Rewards are as the game gives them: who learns may clip them. A lost life is told, and ends no
    game.

    Args:
        name: such as ALE/Breakout-v5.
        count: of games.

    Raises:
        ConfigError: ale-py is not there, or knows no such game.

    Source: Mnih et al. 2015, methods; Machado et al. 2018, "Revisiting the Arcade Learning
        Environment", on sticky actions.
    Deviations: both sticky actions and idle frames; the smallest set of actions of each game.
    """

    shape: tuple[int, ...] = (STACKED, SIDE, SIDE)
    levels: float = 255.0
    stacked: bool = True
    milliseconds: int = 67

    def __init__(self, name: str, count: int) -> None:
        super().__init__(count)
        rom, meanings = _known(name)
        from ale_py.vector_env import AtariVectorEnv

        self._vector = AtariVectorEnv(
            rom,
            count,
            num_threads=THREADS,
            max_num_frames_per_episode=FRAMES,
            repeat_action_probability=STICKY,
            frameskip=SKIPPED,
            stack_num=STACKED,
            img_height=SIDE,
            img_width=SIDE,
            noop_max=IDLE,
            reward_clipping=False,
            autoreset_mode="NextStep",
        )
        self.actions = meanings
        self._lives, self._begun = torch.zeros(count, dtype=torch.int64), False
        self._now = torch.zeros(count, *self.shape, dtype=torch.uint8)

    def _begin(self, which: Bool[Tensor, " games"], seeds: Int64[Tensor, " games"]) -> Tensor:
        if not self._begun:
            which, self._begun = torch.ones_like(which), True
        options = {"reset_mask": which.numpy()}
        chosen = (seeds[which] % SEEDS).numpy()
        seen, facts = self._vector.reset(seed=chosen, options=options)
        self._lives = torch.from_numpy(facts["lives"]).long()
        self._now = torch.where(which[:, None, None, None], torch.from_numpy(seen), self._now)
        return self._now

    def _step(self, actions: Int64[Tensor, " games"], playing: Bool[Tensor, " games"]) -> Step:
        seen, rewards, over, cut, facts = self._vector.step(actions.numpy())
        lives = torch.from_numpy(facts["lives"]).long()
        lost, self._lives = lives < self._lives, lives
        # A game that rests plays another one behind the scenes; its last picture stays.
        shown = playing[:, None, None, None]
        self._now = (
            torch.from_numpy(seen)
            if playing.all()
            else torch.where(shown, torch.from_numpy(seen), self._now)
        )
        ends = torch.from_numpy(over), torch.from_numpy(cut)
        gained = torch.from_numpy(rewards).float()
        return Step(self._now, gained, ends[0], ends[1] & ~ends[0], lost)

    def picture(self, game: int = 0) -> np.ndarray:
        """Return the newest of the pictures that are seen, twice as large, in grey."""
        grey = self._now[game, -1].numpy().repeat(2, 0).repeat(2, 1)
        return np.repeat(grey[:, :, None], 3, 2)

    def close(self) -> None:
        """Stop the emulators."""
        self._vector.close()


def _known(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the name of the cartridge and what its actions mean."""
    emulator = ale_py()
    emulator.ALEInterface.setLoggerMode(emulator.LoggerMode.Error)  # it greets on every start
    gymnasium().register_envs(emulator)
    found, registry = NAME.fullmatch(name), gymnasium().registry
    if found is None or name not in registry or found["version"] != "5":
        known = [known for known in registry if known.startswith("ALE/") and known[-3:] == "-v5"]
        raise ConfigError(f'there is no game "{name}" with -v5; {nearest(name, known)}')
    environment = gymnasium().make(name)
    meanings = tuple(str(m).lower() for m in environment.unwrapped.get_action_meanings())
    rom = environment.spec.kwargs["game"]
    environment.close()
    return str(rom), meanings
