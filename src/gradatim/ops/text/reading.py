"""Reading a text from one end to the other, in bounded memory."""

from collections.abc import Callable

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops.text.running import Running

__all__ = ["Read", "nats_of"]

Read = Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]]
"""From tokens (rows, places) and the memory of those before them, None for nothing, to logits of
the token after each (rows, places, tokens), and the memory; rows first in all of these."""
RUNS = 32
"""Runs that are read side by side."""
TOGETHER = 4096
"""Tokens that are read at a time."""


def nats_of(read: Read, text: Running, pad: int) -> Float32[Tensor, " tokens"]:
    """Return -log p of every token, each run read from its beginning to its end.

    Long runs are read beside long ones; one that has ended is read no further.

    Args:
        read: a network's.
        text: what is read.
        pad: a token that is none, after the end of a run.
    """
    starts = (text.place == 0).nonzero()[:, 0]
    ends = torch.cat([starts[1:], torch.tensor([len(text.tokens)])])
    order = (ends - starts).argsort(descending=True, stable=True)
    nats = torch.zeros(len(text.tokens))
    for runs in order.split(RUNS):
        _read_runs(read, text, starts[runs], ends[runs], nats, pad)
    return nats


def _read_runs(
    read: Read, text: Running, starts: Tensor, ends: Tensor, nats: Tensor, pad: int
) -> None:
    """Read runs side by side, the longest first, and put down what each token cost."""
    memory, first = None, 0
    while active := int((ends - starts > first).sum()):
        width = min(max(1, TOGETHER // active), int(ends[0] - starts[0]) - first)
        where = starts[:active, None] + torch.arange(first, first + width)
        real = where < ends[:active, None]
        where = where.clamp_max(len(text.tokens) - 1)
        before = text.before[where].where(real, pad)
        memory = None if memory is None else memory[:active]
        logits, memory = read(before, memory)
        cost = F.cross_entropy(logits.flatten(0, 1), text.tokens[where].flatten(), reduction="none")
        nats[where[real]] = cost.view(real.shape)[real].float()
        first += width
