"""Batch normalisation in training, what is added to it and ReLU, in one pass by machine code.

Torch reads maps of features six times for these and writes them three times; `batch_norm.c` reads
them twice and writes once, and the gradient likewise. It takes maps whose channels lie last, as
`Fitting` lays them out. Where it cannot be had, and for other maps, torch's operations are called;
the results differ by rounding. GRADATIM_FUSED=0 in the environment makes it call those always.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from gradatim.ops.compiled.batch_norm import BatchNorm, Pass, obstacle
from gradatim.ops.shortcuts import usual, watched

__all__ = ["applies", "batch_norm", "plain"]


def batch_norm(
    x: Float[Tensor, "rows channels h w"],
    gamma: Float[Tensor, " channels"],
    beta: Float[Tensor, " channels"],
    running: tuple[Float[Tensor, " channels"], Float[Tensor, " channels"]],
    momentum: float,
    eps: float,
    *,
    added: Float[Tensor, "rows channels h w"] | None = None,
    relu: bool = False,
) -> Float[Tensor, "rows channels h w"]:
    """Return gamma_c (x - mu_c) / sqrt(sigma_c^2 + e) + beta_c + added, by ReLU if asked for.

    Args:
        x: maps of features; their moments are those of this batch.
        gamma: scale of each channel.
        beta: shift of each channel.
        running: mean and variance for prediction, which move towards those of this batch.
        momentum: weight of this batch in them, in [0, 1].
        eps: keeps the division possible for an even map.
        added: maps that are added before ReLU.
        relu: whether numbers below 0 become 0.

    Source: Ioffe & Szegedy 2015, algorithms 1 and 2; docs/decisions/0009.

    >>> running = torch.zeros(1), torch.ones(1)
    >>> maps = torch.tensor([1.0, 3.0]).view(1, 1, 1, 2)
    >>> batch_norm(maps, torch.ones(1), torch.zeros(1), running, 0.5, 0.0, relu=True)
    tensor([[[[0., 1.]]]])
    >>> running  # 2 x 0.5; 1 x 0.5 + 2 x 0.5, for the variance is divided by count - 1
    (tensor([1.]), tensor([1.5000]))
    """
    if not applies(x, gamma, beta, running, added):
        return plain(x, gamma, beta, running, momentum, eps, added=added, relu=relu)
    out: Tensor
    out, mean, variance = BatchNorm.apply(x, gamma, beta, added, Pass(relu, eps))  # type: ignore[no-untyped-call]
    count = x.numel() // x.shape[1]
    with torch.no_grad():
        running[0].lerp_(mean, momentum)
        running[1].lerp_(variance * (count / (count - 1)), momentum)
    return out


def plain(
    x: Float[Tensor, "rows channels h w"],
    gamma: Float[Tensor, " channels"],
    beta: Float[Tensor, " channels"],
    running: tuple[Float[Tensor, " channels"], Float[Tensor, " channels"]],
    momentum: float,
    eps: float,
    *,
    added: Float[Tensor, "rows channels h w"] | None = None,
    relu: bool = False,
) -> Float[Tensor, "rows channels h w"]:
    """Return the same by three operations of torch."""
    z = F.batch_norm(x, *running, gamma, beta, True, momentum, eps)
    z = z if added is None else z + added
    return F.relu(z) if relu else z


def applies(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running: tuple[Tensor, Tensor],
    added: Tensor | None = None,
) -> bool:
    """Tell whether the machine code takes these arguments, here and now."""
    maps = (x,) if added is None else (x, added)
    numbers = (gamma, beta, *running)
    return (
        not watched()
        and all(map(usual, (*maps, *numbers)))
        and x.dim() == 4
        and all(m.shape == x.shape and _last(m) for m in maps)
        and all(n.shape == x.shape[1:2] and n.is_contiguous() for n in numbers)
        and x.numel() > x.shape[1] > 0
        and obstacle() is None
    )


def _last(maps: Tensor) -> bool:
    return maps.is_contiguous(memory_format=torch.channels_last)
