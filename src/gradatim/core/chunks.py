"""Applying a module to many rows in bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["evaluating", "in_chunks", "rows_in_chunks"]


MOST = 2**22
"""Numbers of input that are worked on at a time."""
CACHED, FEWEST = 2**16, 16
"""Numbers of pictures that are, unless that makes fewer rows than this: the maps of convolutions,
often sixteen times as large, then stay in the processor's cache."""


def in_chunks(module: nn.Module, inputs: Tensor, rows: int = 1024) -> Tensor:
    """Return `module(inputs)` in evaluation mode, computed some rows at a time.

    These are `rows`, or fewer where a row is large.
    """
    with evaluating(module):
        return torch.cat([module(part) for (part,) in rows_in_chunks(inputs, rows=rows)])


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode, without gradients; its training flags are restored."""
    training = {child: child.training for child in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for child, flag in training.items():
            child.training = flag


def rows_in_chunks(*tensors: Tensor, rows: int = 1024) -> Iterator[tuple[Tensor, ...]]:
    """Yield `rows` rows of each tensor at a time, or fewer where a row of the first is large."""
    first = tensors[0]
    each = max(1, first[0].numel()) if len(first) else 1
    if first.dim() == 4:
        rows = min(rows, max(FEWEST, CACHED // each))
    size = max(1, min(rows, MOST // each))
    yield from zip(*(tensor.split(size) for tensor in tensors), strict=True)
