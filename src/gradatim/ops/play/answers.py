"""What a network that stands still says of remembered moments: each is asked about once."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

__all__ = ["Answers", "unasked"]

NOBODY = -1


def unasked(places: int, actions: int) -> dict[str, Tensor]:
    """Return the tensors of answers, none of them given.

    Args:
        places: of the memory of moments, all games together.
        actions: that are valued.
    """
    return {
        "about": torch.full((places,), NOBODY),
        "values": torch.zeros(places, actions),
    }


class Answers:
    """Values of actions, kept beside the ring of moments that they are about.

    At each place stands the number of the moment that was asked about, so that a moment that is
    written over is forgotten without being told.

    Args:
        tensors: as `unasked` made them; they are changed in place and hold everything.

    >>> answers = Answers(unasked(places=10, actions=1))
    >>> asked = []
    >>> def ask(numbers):
    ...     asked.extend(numbers.tolist())
    ...     return numbers[:, None].float()
    >>> [answers.to(torch.tensor(n), ask)[:, 0].tolist() for n in ([7, 3, 7], [3, 17])]
    [[7.0, 3.0, 7.0], [3.0, 17.0]]
    >>> asked
    [3, 7, 17]
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.about, self.values = tensors["about"], tensors["values"]

    def forget(self) -> None:
        """Forget all: the network has changed."""
        self.about.fill_(NOBODY)

    def to(
        self, moments: Int64[Tensor, " rows"], ask: Callable[[Tensor], Tensor]
    ) -> Float32[Tensor, "rows actions"]:
        """Return what is said of these moments.

        Args:
            moments: their numbers.
            ask: for the values at moments that nobody has asked about yet.
        """
        places = moments % len(self.about)
        fresh = moments[self.about[places] != moments].unique()
        if len(fresh):
            there = fresh % len(self.about)
            self.values[there], self.about[there] = ask(fresh), fresh
        return self.values[places]
