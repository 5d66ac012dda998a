"""What a fitted model costs to keep and to ask."""

import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.ops.multiply_adds import multiply_adds

__all__ = ["Costs", "measure"]

MANY = 256
LARGEST = 2**24
"""Numbers that are asked for at once: of pictures too large for 256 of them, fewer are measured."""
SLOW = 2.0
"""Seconds after which no third measurement is made."""


@dataclass(frozen=True)
class Costs:
    """Costs of one model; seconds are medians on this machine, with one thread.

    `parameters` counts the network's parameters, or, where a solver left buffers instead (support
    points, trees), those; preprocessing is not counted. `multiply_adds` counts those of matrix
    products and convolutions for one sample (trees have none). `bytes` is the whole model.
    """

    parameters: int
    multiply_adds: int
    predict_seconds_1: float
    predict_seconds_256: float
    bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Return the costs under their names."""
        return asdict(self)


@torch.no_grad()
def measure(model: Model, samples: Samples) -> Costs:
    """Measure a fitted model on real rows, repeated when there are fewer than 256.

    Where rows are pictures of their own sizes, the first is measured, and many take many times
    as long.
    """
    one, tensors = samples.own(0).inputs, list(model.state_dict().values())
    alone = _seconds(model, one)
    if samples.sizes is not None and one.dim() == 4:
        many = MANY * alone
    else:
        rows = max(1, min(MANY, LARGEST // one.numel()))
        inputs = samples.inputs[torch.arange(rows) % len(samples)]
        many = MANY / rows * _seconds(model, inputs)
    return Costs(
        parameters=_learnt(model),
        multiply_adds=multiply_adds(model, one),
        predict_seconds_1=alone,
        predict_seconds_256=many,
        bytes=sum(t.numel() * t.element_size() for t in tensors),
    )


def _learnt(model: Model) -> int:
    parameters = sum(p.numel() for p in model.network.parameters())
    return parameters or sum(b.numel() for b in model.network.buffers() if b.is_floating_point())


def _seconds(model: Model, inputs: Tensor, budget: float = 0.05) -> float:
    times: list[float] = []
    model(inputs)
    while (len(times) < 3 and sum(times) < SLOW) or (sum(times) < budget and len(times) < 50):
        start = time.perf_counter()
        model(inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
