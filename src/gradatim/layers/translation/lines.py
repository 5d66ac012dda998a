"""Texts that a model keeps, as bytes of UTF-8 with an end of line after each."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Lines", "bytes_for"]


def bytes_for(texts: Sequence[str]) -> int:
    """Return how many bytes the texts take: an extent of the model."""
    return len(_packed(texts))


class Lines(nn.Module):
    """Texts without ends of line, kept in a tensor.

    Args:
        size: bytes that they take; `bytes_for` tells.
    """

    packed: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("packed", torch.zeros(size, dtype=torch.uint8))

    def fill(self, texts: Sequence[str]) -> "Lines":
        """Keep these texts; an end of line inside of one becomes a space."""
        self.packed.copy_(torch.from_numpy(np.frombuffer(_packed(texts), np.uint8).copy()))
        return self

    def texts(self) -> list[str]:
        """Return the texts."""
        return bytes(self.packed.numpy()).decode("utf-8", "replace").split("\n")[:-1]


def _packed(texts: Sequence[str]) -> bytes:
    return "".join(text.replace("\n", " ") + "\n" for text in texts).encode("utf-8", "replace")
