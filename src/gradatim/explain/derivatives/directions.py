"""The gradient of a network along random directions, in three ways.

d L(w + t v) / dt = <gradient, v>: in reverse mode by the product, in forward mode in one pass, by
central differences from two losses.

Source: Baydin, Pearlmutter, Radul & Siskind 2018, section 3.1.1 (a directional derivative in one
forward pass).
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import jvp

from gradatim.core.randomness import generator
from gradatim.explain.derivatives.differentiate import STEP
from gradatim.explain.derivatives.network import Example

__all__ = ["Direction", "directions"]


@dataclass(frozen=True)
class Direction:
    """The derivative of the loss along one random direction of length 1, in three ways."""

    reverse: float
    forward: float
    central: float
    seconds: Mapping[str, float]


def directions(case: Example, count: int = 5) -> list[Direction]:
    """Take the derivative of the loss along random directions of length 1, in three ways."""
    weights = {n: p.detach() for n, p in case.model.network.named_parameters()}
    _reverse(case, weights)  # the first pass loads code, which no time should show
    begin = time.perf_counter()
    gradient = _reverse(case, weights)
    seconds = time.perf_counter() - begin
    jvp(torch.sin, (torch.zeros(()),), (torch.ones(()),))
    return [_along(case, weights, gradient, seconds, k) for k in range(count)]


def _reverse(case: Example, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    active = {n: p.clone().requires_grad_() for n, p in weights.items()}
    found = torch.autograd.grad(case.loss(active), list(active.values()), materialize_grads=True)
    return dict(zip(active, found, strict=True))


def _along(
    case: Example,
    weights: Mapping[str, Tensor],
    gradient: Mapping[str, Tensor],
    reverse_seconds: float,
    k: int,
) -> Direction:
    chance = generator(0, "derive direction", k)
    drawn = {n: torch.randn(p.shape, generator=chance, dtype=p.dtype) for n, p in weights.items()}
    length = math.sqrt(sum(float(v.square().sum()) for v in drawn.values()))
    v = {n: d / length for n, d in drawn.items()}
    begin = time.perf_counter()
    forward = jvp(case.loss, (dict(weights),), (v,))[1]
    middle = time.perf_counter()
    step = STEP * max(1.0, *(float(p.abs().max()) for p in weights.values() if p.numel()))
    with torch.no_grad():
        up, down = (
            case.loss({n: p + sign * step * v[n] for n, p in weights.items()}) for sign in (1, -1)
        )
    seconds = {
        "reverse mode": reverse_seconds,
        "forward mode": middle - begin,
        "central differences": time.perf_counter() - middle,
    }
    reverse = sum(float((gradient[n] * v[n]).sum()) for n in v)
    return Direction(reverse, float(forward), float(up - down) / (2 * step), seconds)
