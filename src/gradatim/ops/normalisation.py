"""Batch, instance and layer normalisation, written out: x-hat = (x - mean) / sqrt(variance + e).

They differ in what shares a mean and a variance: all places of a channel in the batch, of a channel
in one picture, or of all channels in one picture.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "Moments",
    "batch_normalise",
    "instance_normalise",
    "layer_normalise",
    "moments",
    "running_moments",
]


class Moments(NamedTuple):
    """A mean and a variance (no standard deviation), of a shape that broadcasts with the maps."""

    mean: Tensor
    variance: Tensor


def moments(x: Float[Tensor, "rows channels h w"], over: tuple[int, ...]) -> Moments:
    """Return the mean and the variance, divided by the count, over some axes.

    >>> moments(torch.tensor([[[[1.0, 3.0]]]]), (0, 2, 3))
    Moments(mean=tensor([[[[2.]]]]), variance=tensor([[[[1.]]]]))
    """
    mean = x.mean(over, keepdim=True)
    return Moments(mean, (x - mean).square().mean(over, keepdim=True))


def batch_normalise(
    x: Float[Tensor, "rows channels h w"],
    gamma: Float[Tensor, " channels"],
    beta: Float[Tensor, " channels"],
    seen: Moments | None = None,
    eps: float = 1e-5,
) -> Float[Tensor, "rows channels h w"]:
    """Return gamma_c (x - mu_c) / sqrt(sigma_c^2 + e) + beta_c, over rows and places.

    Args:
        x: maps of features.
        gamma: scale of each channel.
        beta: shift of each channel.
        seen: the running moments, for prediction; without them those of this batch.
        eps: keeps the division possible for an even map.

    Source: course 000, equations (57) and (58); Ioffe & Szegedy 2015, algorithm 1.

    Deviations: the course sums K from W to N, writes sigma for the variance and has no gamma, beta
    and running moments; here the sum is over k = 1..W.
    """
    return _affine(x, seen or moments(x, (0, 2, 3)), gamma, beta, eps)


def instance_normalise(
    x: Float[Tensor, "rows channels h w"],
    gamma: Float[Tensor, " channels"],
    beta: Float[Tensor, " channels"],
    eps: float = 1e-5,
) -> Float[Tensor, "rows channels h w"]:
    """Return gamma_c (x - mu_nc) / sqrt(sigma_nc^2 + e) + beta_c, over the places of each map.

    Source: course 000, equations (59) and (60); Ulyanov, Vedaldi & Lempitsky 2016.

    Deviations: those of `batch_normalise` from the course.
    """
    return _affine(x, moments(x, (2, 3)), gamma, beta, eps)


def layer_normalise(
    x: Float[Tensor, "rows channels h w"],
    gamma: Float[Tensor, " channels"],
    beta: Float[Tensor, " channels"],
    eps: float = 1e-5,
) -> Float[Tensor, "rows channels h w"]:
    """Return gamma_c (x - mu_n) / sqrt(sigma_n^2 + e) + beta_c, over channels and places of a row.

    Source: course 000, equations (61) and (62); Ba, Kiros & Hinton 2016.

    Deviations: those of `batch_normalise` from the course. One gamma and beta a channel, as in
    torch's GroupNorm(1, channels); torch's LayerNorm has one a place.
    """
    return _affine(x, moments(x, (1, 2, 3)), gamma, beta, eps)


def running_moments(
    old: Moments, x: Float[Tensor, "rows channels h w"], momentum: float = 0.1
) -> Moments:
    """Return what batch normalisation remembers for prediction after one more batch.

    r <- (1 - m) r + m new, where the new variance is divided by count - 1 (unbiased).

    Args:
        old: the moments so far; torch begins with mean 0 and variance 1.
        x: the batch; more than one place a channel.
        momentum: weight of the new batch, in [0, 1].

    Source: Ioffe & Szegedy 2015, algorithm 2, with torch's moving average.
    """
    new, count = moments(x, (0, 2, 3)), x.numel() // x.shape[1]
    unbiased = new.variance * count / (count - 1)
    return Moments(
        torch.lerp(old.mean, new.mean, momentum), torch.lerp(old.variance, unbiased, momentum)
    )


def _affine(x: Tensor, seen: Moments, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    standard = (x - seen.mean) / (seen.variance + eps).sqrt()
    return gamma[:, None, None] * standard + beta[:, None, None]
