"""A function of rows, in blocks: memory is bounded and gradients still flow."""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["in_blocks"]

_NUMBERS = 2**22  # at once: 32 MB of float64


def in_blocks(function: Callable[[Tensor], Tensor], inputs: Tensor, per_row: int) -> Tensor:
    """Return `function(inputs)`, computed so that at most some million numbers live at once.

    An exported graph has no blocks: there the caller chooses the batch.

    Args:
        function: maps rows to rows, each one by itself.
        inputs: rows first.
        per_row: how many numbers the function needs for one row.

    >>> in_blocks(lambda rows: 2 * rows, torch.ones(3, 1), per_row=2**22).flatten().tolist()
    [2.0, 2.0, 2.0]
    """
    if torch.compiler.is_exporting():
        return function(inputs)
    rows = max(1, _NUMBERS // max(1, per_row))
    if len(inputs) <= rows:
        return function(inputs)
    return torch.cat([function(part) for part in inputs.split(rows)])
