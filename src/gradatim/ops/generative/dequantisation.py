"""Discrete values as densities: spread over the grain on the way in, counted in bits after."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Float64, Shaped
from numpy import ndarray
from torch import Tensor

__all__ = ["bits_per_dimension", "spread"]


def spread(
    rows: Shaped[Tensor, "rows *shape"], grains: Sequence[float], chance: torch.Generator
) -> Float[Tensor, "rows *shape"]:
    """Return x + grain u, with u drawn uniformly from [0, 1) for every number.

    Args:
        rows: float64, or levels of pixels, which become float32.
        grains: one for all numbers or one for each column; 0 leaves continuous values alone.
        chance: what u is drawn from.

    Source: Theis, van den Oord & Bethge 2016, "A note on the evaluation of generative models",
        section 3.1.

    >>> spread(torch.tensor([[7.0]]), (0.0,), torch.Generator())
    tensor([[7.]])
    """
    values = rows if rows.is_floating_point() else rows.float()
    noise = torch.rand(values.shape, generator=chance, dtype=values.dtype)
    return values + noise * torch.tensor(tuple(grains), dtype=values.dtype)


def bits_per_dimension(
    nats: Float64[ndarray, " rows"], numbers: int, grains: Sequence[float]
) -> Float64[ndarray, " rows"]:
    """Return -(log p + sum log grain) / (d log 2): for discrete data, bits that a code would need.

    Args:
        nats: log densities of rows whose values were spread over their grains.
        numbers: d, how many numbers a row has.
        grains: one for all numbers or one for each; what has none, 0, is not counted.

    >>> import numpy as np
    >>> bits_per_dimension(np.array([-np.log(17.0)]), 1, (1.0,)).round(3)  # one of 17 levels
    array([4.087])
    """
    each = numbers // len(grains)
    log_grains = each * sum(math.log(grain) for grain in grains if grain > 0)
    bits: ndarray = -(nats + log_grains) / (numbers * math.log(2))
    return bits
