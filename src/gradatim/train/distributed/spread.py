"""`Spread`: a network that ranks apply together."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist

__all__ = ["Spread", "slice_of"]


def slice_of(rows: int, rank: int, size: int) -> slice:
    """Return which of `rows` a rank takes: all are taken once, shares differ by one at most.

    >>> [slice_of(5, rank, 3) for rank in range(3)]
    [slice(0, 1, None), slice(1, 3, None), slice(3, 5, None)]
    >>> slice_of(1, 0, 2)
    slice(0, 0, None)
    """
    return slice(rank * rows // size, (rank + 1) * rows // size)


class Spread(nn.Module):
    """A network that every rank applies to its share of the rows; all of them hear all answers.

    So the loss of a batch is computed from all rows on every rank, with the same bits: it needs no
    weights for uneven shares, and what follows from it (a NaN, the end of patience) is the same
    everywhere. Its gradient reaches a rank's parameters through the rows of that rank alone; the
    sum over ranks is the gradient of the batch.

    Args:
        network: what is trained; its state is the state of this module.
        trained: the same, wrapped so that gradients are averaged over the ranks.
        device: where its parameters are; rows come from the CPU and answers go back there.

    Deviations: averaging divides by the number of ranks, so answers pass back that many times
        their gradient.
    """

    def __init__(self, network: nn.Module, trained: nn.Module, device: torch.device) -> None:
        super().__init__()
        self.network, self.trained, self.device = network, trained, device

    def forward(self, inputs: Tensor) -> Any:
        """Return the answers to all rows: a tensor, or one for each head."""
        rows = len(inputs)
        mine = inputs[slice_of(rows, dist.get_rank(), dist.get_world_size())].to(self.device)
        said = (self.trained if self.training else self.network)(mine)
        if isinstance(said, Tensor):
            return _heard(said, rows)
        return tuple(_heard(head, rows) for head in said)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return the state of the network, under the names that it has alone."""
        return self.network.state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Load the state of the network."""
        return self.network.load_state_dict(state_dict, *args, **kwargs)


def _heard(mine: Tensor, rows: int) -> Tensor:
    whole: Tensor = _Heard.apply(mine, rows)  # type: ignore[no-untyped-call]
    return whole


class _Heard(torch.autograd.Function):
    """From the answers to a rank's own rows to the answers to all rows, on every rank."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor, rows: int) -> Tensor:
        """Put the own answers into their places and add up what all ranks have."""
        ctx.size, ctx.device = dist.get_world_size(), mine.device
        ctx.own = slice_of(rows, dist.get_rank(), ctx.size)
        whole = mine.new_zeros(rows, *mine.shape[1:])
        whole[ctx.own] = mine
        dist.all_reduce(whole)
        return whole.cpu()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the own answers, to be averaged over the ranks."""
        return gradient[ctx.own].to(ctx.device) * ctx.size, None
