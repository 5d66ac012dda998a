"""What a fitted model costs to keep and to ask."""

import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from gradatim.core.rung import Model
from gradatim.ops.multiply_adds import multiply_adds

__all__ = ["Costs", "measure"]


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
def measure(model: Model, inputs: Tensor) -> Costs:
    """Measure a fitted model on real rows, repeated when there are fewer than 256."""
    many = inputs[torch.arange(256) % len(inputs)]
    tensors = list(model.state_dict().values())
    return Costs(
        parameters=_learnt(model),
        multiply_adds=multiply_adds(model, inputs[:1]),
        predict_seconds_1=_seconds(model, inputs[:1]),
        predict_seconds_256=_seconds(model, many),
        bytes=sum(t.numel() * t.element_size() for t in tensors),
    )


def _learnt(model: Model) -> int:
    parameters = sum(p.numel() for p in model.network.parameters())
    return parameters or sum(b.numel() for b in model.network.buffers() if b.is_floating_point())


def _seconds(model: Model, inputs: Tensor, budget: float = 0.3) -> float:
    times: list[float] = []
    model(inputs)
    while len(times) < 3 or (sum(times) < budget and len(times) < 50):
        start = time.perf_counter()
        model(inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
