"""Passages put one after the other again: the text as a model reads it."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

__all__ = ["Running", "beginnings", "running"]


class Running(NamedTuple):
    """Tokens in their order: what stands before each, what it is, and where.

    `place` counts from 0 where a run of passages begins, and there `before` is the token that
    says so; `row` is the passage of each token.
    """

    before: Int64[Tensor, " tokens"]
    tokens: Int64[Tensor, " tokens"]
    place: Int64[Tensor, " tokens"]
    row: Int64[Tensor, " tokens"]


def beginnings(numbers: Int64[Tensor, " rows"] | None, rows: int) -> Bool[Tensor, " rows"]:
    """Tell which passages do not go on where the one above them ended.

    Args:
        numbers: where each stood among those that were read; None when they are all there.
        rows: how many there are.

    >>> beginnings(torch.tensor([3, 4, 9, 10, 2]), 5).tolist()
    [True, False, True, False, True]
    """
    begins = torch.zeros(rows, dtype=torch.bool)
    begins[:1] = True
    if numbers is not None:
        begins[1:] = numbers[1:] != numbers[:-1] + 1
    return begins


def running(
    passages: Int64[Tensor, "rows longest"],
    begins: Bool[Tensor, " rows"],
    *,
    begin: int,
    pad: int,
) -> Running:
    """Return the tokens of passages as one text.

    Args:
        passages: tokens, `pad` after the end of each.
        begins: which of them do not go on where the one above ended.
        begin: the token before a beginning.
        pad: the token that is none.

    >>> text = running(torch.tensor([[7, 8], [9, 0], [5, 6]]), torch.tensor([True, False, True]),
    ...     begin=1, pad=0)
    >>> text.before.tolist(), text.tokens.tolist(), text.place.tolist()
    ([1, 7, 8, 1, 5], [7, 8, 9, 5, 6], [0, 1, 2, 0, 1])
    """
    real = passages != pad
    tokens, row = passages[real], real.nonzero()[:, 0]
    run = begins.cumsum(0)[row]
    starts = torch.ones_like(run, dtype=torch.bool)
    starts[1:] = run[1:] != run[:-1]
    before = torch.where(starts, begin, tokens.roll(1))
    where = torch.arange(len(tokens))
    first = where[starts][starts.cumsum(0) - 1]
    return Running(before, tokens, where - first, row)
