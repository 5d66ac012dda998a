"""Applying a module to many rows in bounded memory."""

import torch
from torch import Tensor, nn

__all__ = ["in_chunks"]


MOST = 2**22
"""Numbers of input that are worked on at a time."""


@torch.no_grad()
def in_chunks(module: nn.Module, inputs: Tensor, rows: int = 1024) -> Tensor:
    """Return `module(inputs)` in evaluation mode, computed some rows at a time.

    These are `rows`, or fewer where a row is large.

    The module's training flags are restored afterwards.
    """
    training = {child: child.training for child in module.modules()}
    module.eval()
    try:
        size = max(1, min(rows, MOST // max(1, inputs[0].numel()) if len(inputs) else rows))
        return torch.cat([module(part) for part in inputs.split(size)])
    finally:
        for child, flag in training.items():
            child.training = flag
