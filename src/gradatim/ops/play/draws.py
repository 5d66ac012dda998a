"""Chance of many games at once, each a function of its own seed and of nothing else."""

from jaxtyping import Float, Int64
from torch import Tensor

__all__ = ["uniform"]

STRIDES = (-7046029254386353131, -4658895280553007687)
"""Odd 64-bit constants: the golden ratio's and a second one, so that arguments do not cancel."""
MIXERS = (-4658895280553007687, -7723592293110705685)
MANTISSA = 53


def uniform(
    seeds: Int64[Tensor, " games"], moments: Int64[Tensor, " games"], purpose: int = 0
) -> Float[Tensor, " games"]:
    """Return one number in [0, 1) a game, equal whenever seed, moment and purpose are.

    The arguments are added with odd strides and mixed as splitmix64 does: twice
    z <- (z ^ (z >> s)) * odd, then z ^ (z >> 31); of the result, the highest 53 bits count.

    Args:
        seeds: of the games.
        moments: how far each game is.
        purpose: tells draws of the same moment apart, from 0.

    Source: Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators".

    >>> import torch
    >>> seeds, moments = torch.arange(100_000), torch.full((100_000,), 7)
    >>> draws = uniform(seeds, moments)
    >>> bool((draws < 0.1).double().mean().sub(0.1).abs() < 0.003)
    True
    >>> torch.equal(uniform(seeds[5:6], moments[:1]), draws[5:6])
    True
    """
    z = (seeds + purpose * 1_000_003) * STRIDES[0] + (moments + 1) * STRIDES[1]
    for shift, mixer in zip((30, 27), MIXERS, strict=True):
        z = (z ^ _shifted(z, shift)) * mixer
    z = z ^ _shifted(z, 31)
    return _shifted(z, 64 - MANTISSA).double() * 2.0**-MANTISSA


def _shifted(z: Int64[Tensor, " games"], by: int) -> Int64[Tensor, " games"]:
    """Shift to the right as if there were no sign: zeros come in from the left."""
    return (z >> by) & ((1 << (64 - by)) - 1)
