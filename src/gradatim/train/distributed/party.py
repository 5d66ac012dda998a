"""`Party`: the processes that train one model. This is the party of one; see `ranks` for others."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from torch import Tensor, nn

from gradatim.core.learner import Optimizer
from gradatim.runs.checkpoints import Checkpoints
from gradatim.train.loop import Record

__all__ = ["ALONE", "Party", "Store"]


class Store(Protocol):
    """What keeps the state of a fit: `Checkpoints`, or that of several ranks."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about the state that `restore` returned."""

    def save(self, step: int, state: Mapping[str, Tensor], *, records: Path | None = None) -> None:
        """Have a state written."""

    def restore(self, records: Path | None = None) -> tuple[int, dict[str, Tensor]] | None:
        """Return step and state of the newest checkpoint that is as it was written."""

    def wait(self) -> None:
        """Return when everything is written."""


class Party:
    """One process that trains alone: it leads, applies the network itself and agrees with itself.

    `rank` is this process's number, `size` how many there are; rank 0 leads: it alone writes the
    run folder and speaks. `shard` tells whether every rank holds a part of the network only.
    """

    rank, size, shard = 0, 1, False

    @property
    def leads(self) -> bool:
        """Whether this process writes the run folder and speaks to the user."""
        return self.rank == 0

    def check(self, optimizer: Optimizer) -> None:
        """Raise a ConfigError when the party cannot take the steps of an optimizer."""

    def spread(self, network: nn.Module) -> nn.Module:
        """Return the network as it is trained: all rows in, the answers to all of them out."""
        return network

    def whole(self, network: nn.Module, empty: Callable[[], nn.Module]) -> nn.Module:
        """Return the trained network in one piece, on the CPU.

        Of several ranks the leader gets it; the others get one whose numbers mean nothing.

        Args:
            network: as it was given to `spread`.
            empty: makes one of the same shape.
        """
        return network

    def seed(self, seed: int) -> int:
        """Return the seed of chance inside the network: ranks drop different units."""
        return seed

    def paced(
        self, records: Callable[[float], Iterator[Record | None]], pause: float
    ) -> Iterator[Record | None]:
        """Return records, and None at pauses, which are at the same steps on all ranks.

        Args:
            records: begins the training, with a pause of so many seconds.
            pause: seconds.
        """
        return records(pause)

    def checkpoints(
        self,
        folder: Path,
        meaning: Mapping[str, str | int],
        like: Callable[[], Mapping[str, Tensor]],
    ) -> "Store":
        """Return where the state of a fit is kept.

        Args:
            folder: as for `Checkpoints`.
            meaning: as for `Checkpoints`.
            like: gives the state as this rank has it.
        """
        return Checkpoints(folder, meaning)

    def agree(self, flag: bool) -> bool:
        """Tell whether the flag is up on any rank; every rank has to ask."""
        return flag

    def told(self, say: Callable[[], bytes]) -> bytes:
        """Return what the leader says; the others do not even ask themselves."""
        return say()

    def same(self, what: str, text: str) -> None:
        """Raise a DataError unless all ranks give the same text."""

    def watching(self) -> AbstractContextManager[None]:
        """Notice a lost rank while the block runs."""
        return nullcontext()


ALONE = Party()
