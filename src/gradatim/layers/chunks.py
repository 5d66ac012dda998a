"""Applying a module to many rows in bounded memory."""

import torch
from torch import Tensor, nn

__all__ = ["in_chunks"]


@torch.no_grad()
def in_chunks(module: nn.Module, inputs: Tensor, rows: int = 1024) -> Tensor:
    """Return `module(inputs)` in evaluation mode, computed `rows` at a time.

    The module's training flags are restored afterwards.
    """
    training = {child: child.training for child in module.modules()}
    module.eval()
    try:
        return torch.cat([module(part) for part in inputs.split(rows)])
    finally:
        for child, flag in training.items():
            child.training = flag
