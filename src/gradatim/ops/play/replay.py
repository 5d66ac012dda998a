"""The memory of what happened in games side by side, from which a learner draws."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from gradatim.ops.play.returns import RESTS, n_step

__all__ = ["Moments", "Replay", "empty"]

BITS = torch.tensor([1, 2, 4, 8, 16, 32, 64, 128], dtype=torch.uint8)
STACK = 255  # moments since a game began are counted so far


@dataclass(frozen=True)
class Moments:
    """Moves that were drawn: when, what was done, what came of it n moves later.

    `now` and `later` are numbers of moments, by which `Replay.seen` returns what was seen.
    """

    now: Int64[Tensor, " rows"]
    actions: Int64[Tensor, " rows"]
    returns: Float32[Tensor, " rows"]
    discounts: Float32[Tensor, " rows"]
    later: Int64[Tensor, " rows"]
    weights: Float32[Tensor, " rows"]
    """0 for moments at which nothing was done, else 1."""

    def split(self, rows: int) -> "list[Moments]":
        """Return parts of so many rows."""
        parts = zip(*(getattr(self, f.name).split(rows) for f in fields(self)), strict=True)
        return [Moments(*part) for part in parts]


def empty(
    moments: int, games: int, shape: tuple[int, ...], levels: float, stacked: bool
) -> dict[str, Tensor]:
    """Return the tensors of a memory that holds nothing yet.

    Planes of 0 and 1 take a bit a square, other pixels a byte; of pictures that are seen together
    with those before, only the newest is kept.
    """
    kept = (1, *shape[1:]) if stacked else shape
    numbers = int(torch.Size(kept).numel())
    size, dtype = (numbers, torch.uint8) if levels else (numbers, torch.float32)
    size = -(-numbers // 8) if levels == 1 else size
    return {
        "seen": torch.zeros(moments, games, size, dtype=dtype),
        "actions": torch.zeros(moments, games, dtype=torch.uint8),
        "rewards": torch.zeros(moments, games),
        "ends": torch.zeros(moments, games, dtype=torch.uint8),
        "age": torch.zeros(moments, games, dtype=torch.uint8),
        "written": torch.zeros((), dtype=torch.int64),
    }


class Replay:
    """A ring of moments: row t holds what was seen of every game, and what was done then.

    What follows on a moment stands in the next row; so a game that has ended has a row of its own
    for its last picture, at which nothing is done.

    Args:
        tensors: as `empty` made them; they are changed in place and hold everything.
        shape: of what is seen of a game.
        levels: as of `Game`.
        stacked: whether the planes of what is seen are moments.

    Source: Lin 1992; Mnih et al. 2015, "Human-level control through deep reinforcement learning".
    """

    def __init__(
        self, tensors: Mapping[str, Tensor], shape: tuple[int, ...], levels: float, stacked: bool
    ) -> None:
        self.tensors, self.shape = tensors, shape
        self.stacked, self.packed = stacked, levels == 1
        self.moments, self.games = tensors["actions"].shape

    @property
    def filled(self) -> int:
        """How many moments it holds."""
        return min(int(self.tensors["written"]), self.moments)

    def add(self, seen: Tensor, actions: Tensor, rewards: Tensor, ends: Tensor) -> None:
        """Write one row over the oldest one."""
        tensors, written = self.tensors, int(self.tensors["written"])
        row, last = written % self.moments, (written - 1) % self.moments
        newest = seen[:, -1] if self.stacked else seen
        tensors["seen"][row] = self._packed(newest.flatten(1))
        tensors["actions"][row], tensors["rewards"][row] = actions.to(torch.uint8), rewards
        tensors["ends"][row] = ends
        if written and self.stacked:
            rested = tensors["ends"][last] == RESTS
            older = tensors["age"][last].clamp_max(STACK - 1) + 1
            tensors["age"][row] = older.masked_fill(rested, 0)
        tensors["written"] += 1

    def draw(self, rows: int, n: int, gamma: float) -> Moments:
        """Return moments at random, each as likely as any other, from torch's global chance."""
        oldest, written = self._oldest, int(self.tensors["written"])
        t = oldest + torch.randint(written - n - oldest, (rows,))
        now = t * self.games + torch.randint(self.games, (rows,))
        following = self._place(now[:, None] + self.games * torch.arange(n))
        rewards = self.tensors["rewards"].view(-1)[following]
        ends = self.tensors["ends"].view(-1)[following]
        returns, discounts, moves = n_step(rewards, ends, gamma)
        return Moments(
            now,
            self.tensors["actions"].view(-1)[following[:, 0]].long(),
            returns,
            discounts,
            now + self.games * moves,
            (ends[:, 0] != RESTS).float(),
        )

    def seen(self, moments: Int64[Tensor, " rows"]) -> Tensor:
        """Return what was seen.

        Args:
            moments: t times the number of games, plus the game.
        """
        kept = self.tensors["seen"].flatten(0, 1)
        # index_select copies whole rows; an index in brackets takes them byte by byte.
        if not self.stacked:
            rows = kept.index_select(0, self._place(moments))
            return self._unpacked(rows).view(-1, *self.shape)
        back = torch.arange(self.shape[0]).flip(0)
        places = self._place(moments[:, None] - self.games * back)
        planes = kept.index_select(0, places.view(-1))
        before = back > self.tensors["age"].view(-1)[places[:, -1:]]
        planes.index_fill_(0, before.view(-1).nonzero()[:, 0], 0)
        return planes.view(-1, *self.shape)

    @property
    def _oldest(self) -> int:
        """The oldest moment that can be drawn: all pictures that are seen at it are there."""
        written = int(self.tensors["written"])
        return max(0, written - self.moments + (self.shape[0] - 1 if self.stacked else 0))

    def _place(self, moments: Tensor) -> Tensor:
        return moments % (self.moments * self.games)

    def _packed(self, seen: Tensor) -> Tensor:
        """Return eight squares a byte."""
        if not self.packed:
            return seen
        room = torch.nn.functional.pad(seen, (0, -seen.shape[1] % 8))
        packed: UInt8[Tensor, "games bytes"] = (room.view(len(seen), -1, 8) * BITS).sum(2)
        return packed.to(torch.uint8)

    def _unpacked(self, kept: Tensor) -> Tensor:
        if not self.packed:
            return kept
        squares = (kept[:, :, None] & BITS).ne(0).flatten(1)[:, : torch.Size(self.shape).numel()]
        return squares.to(torch.uint8)
