"""One row of numbers a sample, whatever the sample is."""

import torch

from gradatim.core.signature import Image, Signature
from gradatim.layers.columns import Columns
from gradatim.layers.pixels import Pixels

__all__ = ["flat_features"]


def flat_features(signature: Signature, dtype: torch.dtype = torch.float64) -> Columns | Pixels:
    """Return the preprocessing for rungs that see a row of numbers: columns, or all pixels."""
    if isinstance(signature.input, Image):
        return Pixels(signature.input, flat=True, dtype=dtype)
    return Columns(signature.input, dtype)
