"""Returns over several moves, and what is added for the time after them."""

import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

__all__ = ["CUT", "GOES_ON", "OVER", "RESTS", "n_step"]

GOES_ON, OVER, CUT, RESTS = 0, 1, 2, 3
"""How a move ended: not at all; with no future; by the time limit, so that there was a future; or
it was none, for the game rested in its last picture until the next one began."""


def n_step(
    rewards: Float32[Tensor, "rows moves"], ends: UInt8[Tensor, "rows moves"], gamma: float
) -> tuple[Float32[Tensor, " rows"], Float32[Tensor, " rows"], Int64[Tensor, " rows"]]:
    """Return r0 + gamma r1 + ... up to the end of the game, how the time after it counts, and when.

    The target of a value is then returns + discounts max_a Q(what is seen m moves later, a). A
    game that was cut is bootstrapped from its last picture: the limit is no rule of the game.

    Args:
        rewards: of n moves in a row.
        ends: of these moves.
        gamma: in [0, 1].

    Returns:
        (returns, discounts, m): discounts are gamma^m, 0 where the game is over; m counts the moves
        that were summed, 1 to n.

    Source: Sutton 1988; Pardo et al. 2018, "Time limits in reinforcement learning", on cuts.

    >>> ends = torch.tensor([[GOES_ON, GOES_ON], [OVER, GOES_ON], [CUT, GOES_ON]]).byte()
    >>> returns, discounts, moves = n_step(torch.ones(3, 2), ends, 0.5)
    >>> returns.tolist(), discounts.tolist(), moves.tolist()
    ([1.5, 1.0, 1.0], [0.25, 0.0, 0.5], [2, 1, 1])
    """
    going = (ends == GOES_ON).cumprod(1).bool()
    before = torch.cat([torch.ones_like(going[:, :1]), going[:, :-1]], 1)
    powers = gamma ** torch.arange(ends.shape[1])
    moves = before.sum(1)
    over = (before & (ends == OVER)).any(1)
    returns = (rewards * before) @ powers
    return returns, torch.where(over, 0.0, gamma**moves), moves
