"""Games whose state nobody can read: it is kept as seeds and as what was done since."""

from abc import abstractmethod
from collections.abc import Mapping

import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from gradatim.data.games.games import Games, Step

__all__ = ["Replayed"]


class Replayed(Games):
    """Games that are restored by beginning them again and taking the same actions.

    That works for any game that is a function of its seed and actions, and takes as long as
    playing on from the last beginnings did.

    Args:
        count: of games.
    """

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._seeds = torch.zeros(count, dtype=torch.int64)
        self._length = torch.zeros(count, dtype=torch.int64)
        self._log: UInt8[Tensor, "games moves"] = torch.zeros(count, 256, dtype=torch.uint8)
        self._rests = torch.ones(count, dtype=torch.bool)
        self._games = torch.arange(count)

    @abstractmethod
    def _begin(self, which: Bool[Tensor, " games"], seeds: Int64[Tensor, " games"]) -> Tensor:
        """Begin these games; return what is seen of all."""

    @abstractmethod
    def _step(self, actions: Int64[Tensor, " games"], playing: Bool[Tensor, " games"]) -> Step:
        """Move the games that are playing; what is said of the others does not count."""

    def begin(self, which: Bool[Tensor, " games"], seeds: Int64[Tensor, " games"]) -> Tensor:
        """Begin these games and forget what was done in them."""
        self._seeds = torch.where(which, seeds, self._seeds)
        self._length = self._length.masked_fill(which, 0)
        self._rests = self._rests & ~which
        return self._begin(which, seeds)

    def step(self, actions: Int64[Tensor, " games"]) -> Step:
        """Note the actions, then take them."""
        playing = ~self._rests
        if int(self._length.max()) == self._log.shape[1]:
            self._log = torch.cat([self._log, torch.zeros_like(self._log)], 1)
        self._log[self._games[playing], self._length[playing]] = actions[playing].to(torch.uint8)
        self._length = self._length + playing
        said = self._step(actions, playing)
        over, cut, lost = said.over & playing, said.cut & playing, said.lost & playing
        self._rests = self._rests | over | cut
        return Step(said.seen, said.rewards * playing, over, cut, lost)

    def state_dict(self) -> dict[str, Tensor]:
        """Return seeds and actions; the log goes on in place."""
        return {"seeds": self._seeds, "length": self._length, "log": self._log}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> Tensor:
        """Begin every game as many moves before the end as it is long, so that all end together."""
        seeds, length, log = state["seeds"], state["length"], state["log"]
        longest = int(length.max())
        self._rests = torch.ones_like(self._rests)
        self._log = torch.zeros_like(log)
        self._begin(torch.ones_like(self._rests), seeds)
        seen = torch.empty(0)
        for moment in range(longest + 1):
            late = longest - length
            if moment in late:
                seen = self.begin(late == moment, seeds)
            if moment < longest:
                done = (moment - late).clamp_min(0)
                seen = self.step(log[self._games, done].long()).seen
        return seen
