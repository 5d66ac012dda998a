"""Breakout on 10 x 10 squares, many games in one tensor."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from gradatim.data.games.games import Games, Step
from gradatim.ops.play.draws import uniform

__all__ = ["LIMIT", "STICKY", "Breakout10"]

SIDE = 10
ROWS = (1, 2, 3)  # of bricks, counted from the top
PLANES = ("paddle", "ball", "trail", "brick")
COLOURS = ((90, 170, 250), (255, 255, 255), (110, 110, 110), (200, 80, 60))
BEGIN, STICK = 0, 1  # purposes of chance
LIMIT = 2000
"""Moves after which a game is cut."""
STICKY = 0.1
"""Chance that a game repeats the last action instead of taking the new one."""
SCALE = 16  # pixels that a square is wide, for people


class Breakout10(Games):
    """Break bricks with a ball that a paddle sends back; a game ends when the ball is lost.

    The ball moves along diagonals. Walls and bricks reflect it, and a brick that is hit is gone and
    gives a reward of 1; the ball passes a brick right behind one that it has just broken. At the
    bottom it bounces up if the paddle is below it, and back where it came from if it meets the
    paddle from the side. Once all bricks are gone, three new rows come when the ball is down.

    Planes of what is seen, 0 or 1: the paddle, the ball, where the ball was before, the bricks.

    Source: Young & Tian 2019, "MinAtar: an Atari-inspired testbed for thorough and reproducible
        reinforcement learning experiments", section 3, whose rules these are.
    Deviations:
        a game is cut after 2000 moves; no difficulty ramping (Breakout has none there either);
        only the three actions that do something.

    >>> games = Breakout10(2)
    >>> games.reset(torch.tensor([1, 2])).sum((2, 3)).tolist()
    [[1, 1, 1, 30], [1, 1, 1, 30]]
    """

    shape: tuple[int, ...] = (len(PLANES), SIDE, SIDE)
    levels: float = 1.0
    actions: tuple[str, ...] = ("stay", "left", "right")
    milliseconds: int = 80
    parts: ClassVar[tuple[str, ...]] = (
        *("seed", "moment", "paddle", "x", "y", "across", "down", "behind_x", "behind_y", "last"),
        *("struck", "bricks"),
    )
    """Names of the state: int64 of a game each, but the last two are bool."""

    def __init__(self, count: int, limit: int = LIMIT) -> None:
        super().__init__(count)
        self.limit = limit
        zero = torch.zeros(count, dtype=torch.int64)
        self.state = dict.fromkeys(self.parts, zero)
        self.state["struck"] = torch.zeros(count, dtype=torch.bool)
        self.state["bricks"] = torch.zeros(count, len(ROWS) * SIDE, dtype=torch.bool)
        self._games = torch.arange(count)
        self._moves = torch.tensor([0, -1, 1])

    def begin(self, which: Bool[Tensor, " games"], seeds: Int64[Tensor, " games"]) -> Tensor:
        """Put the ball at one of the walls, by chance, in row 3; it moves down and away from it."""
        s, zero = self.state, torch.zeros_like(seeds)
        right = uniform(seeds, zero, BEGIN) < 0.5
        x = torch.where(right, SIDE - 1, 0)
        fresh = {
            "seed": seeds,
            "moment": zero,
            "paddle": zero + 4,
            "x": x,
            "y": zero + 3,
            "across": torch.where(right, -1, 1),
            "down": zero + 1,
            "behind_x": x,
            "behind_y": zero + 3,
            "last": zero,
            "struck": zero.bool(),
        }
        self.state = {name: torch.where(which, new, s[name]) for name, new in fresh.items()}
        self.state["bricks"] = s["bricks"] | which[:, None]
        return self._seen()

    def step(self, actions: Int64[Tensor, " games"]) -> Step:
        """Move the paddles, then the balls. A ball that has no speed rests: its game has ended."""
        s = self.state
        playing = s["down"] != 0
        sticks = uniform(s["seed"], s["moment"], STICK) < STICKY
        actions = torch.where(sticks, s["last"], actions)
        paddle = (s["paddle"] + self._moves[actions]).clamp_(0, SIDE - 1)
        rewards, missed = self._ball(paddle)
        moment = s["moment"] + playing
        over, cut = missed & playing, (moment >= self.limit) & playing & ~missed
        ended = over | cut
        self.state |= {
            "moment": moment,
            "paddle": paddle,
            "last": actions,
            "across": self.state["across"].masked_fill(ended, 0),
            "down": self.state["down"].masked_fill(ended, 0),
        }
        rewards = (rewards & playing).float()
        return Step(self._seen(), rewards, over, cut, torch.zeros_like(over))

    def _ball(self, paddle: Tensor) -> tuple[Bool[Tensor, " games"], Bool[Tensor, " games"]]:
        """Move the balls; return which have broken a brick, and which missed the paddle."""
        s = self.state
        x, across = s["x"] + s["across"], s["across"]
        wall = (x < 0) | (x >= SIDE)
        x, across = x.clamp(0, SIDE - 1), torch.where(wall, -across, across)
        y = s["y"] + s["down"]
        top, bottom = y < 0, y == SIDE - 1
        place = ((y - ROWS[0]) * SIDE + x).clamp(0, s["bricks"].shape[1] - 1)
        among = (y >= ROWS[0]) & (y <= ROWS[-1])
        touched = s["bricks"][self._games, place] & among
        broken = touched & ~s["struck"]
        bricks = s["bricks"].clone()
        bricks[self._games, place] &= ~broken
        bricks |= (bottom & ~bricks.any(1))[:, None]
        under, beside = bottom & (s["x"] == paddle), bottom & (x == paddle)
        back = beside & ~under
        turned = top | broken | under | back
        y = torch.where(top, 0, torch.where(broken | under | back, s["y"], y))
        self.state = {
            **s,
            "x": x,
            "y": y,
            "behind_x": s["x"],
            "behind_y": s["y"],
            "across": torch.where(back, -across, across),
            "down": torch.where(turned, -s["down"], s["down"]),
            "struck": touched,
            "bricks": bricks,
        }
        return broken, bottom & ~under & ~back

    def _seen(self) -> UInt8[Tensor, "games 4 10 10"]:
        s, area = self.state, SIDE * SIDE
        planes = torch.zeros(self.count, len(PLANES) * area, dtype=torch.uint8)
        planes[self._games, (SIDE - 1) * SIDE + s["paddle"]] = 1
        planes[self._games, area + s["y"] * SIDE + s["x"]] = 1
        planes[self._games, 2 * area + s["behind_y"] * SIDE + s["behind_x"]] = 1
        first = 3 * area + ROWS[0] * SIDE
        planes[:, first : first + len(ROWS) * SIDE] = s["bricks"]
        return planes.view(-1, *self.shape)

    def picture(self, game: int = 0) -> np.ndarray:
        """Return a game in colours, each square 16 pixels wide."""
        planes, picture = self._seen()[game].numpy(), np.full((SIDE, SIDE, 3), 20, np.uint8)
        for plane, colour in reversed(list(zip(planes, COLOURS, strict=True))):
            picture[plane > 0] = colour
        return picture.repeat(SCALE, 0).repeat(SCALE, 1)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the state: it is replaced at every step and never changed."""
        return dict(self.state)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> Tensor:
        """Go on from there."""
        self.state = {name: state[name] for name in self.parts}
        return self._seen()
