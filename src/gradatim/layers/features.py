"""One row of numbers a sample, whatever the sample is."""

import torch

from gradatim.core.signature import Image, Series, Signature, Sound, Table
from gradatim.layers.columns import Columns
from gradatim.layers.pixels import Pixels
from gradatim.layers.sound.log_mel import LogMel
from gradatim.layers.steps import Steps

__all__ = ["flat_features"]


def flat_features(
    signature: Signature, dtype: torch.dtype = torch.float64
) -> Columns | LogMel | Pixels | Steps:
    """Return the preprocessing for rungs that see a row of numbers, whatever a sample is."""
    if isinstance(signature.input, Image):
        return Pixels(signature.input, flat=True, dtype=dtype)
    if isinstance(signature.input, Series):
        return Steps(signature.input, flat=True, dtype=dtype)
    if isinstance(signature.input, Sound):
        return LogMel(signature.input, layout="flat", dtype=dtype)
    assert isinstance(signature.input, Table)
    return Columns(signature.input, dtype)
