"""What several tests of layers share."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call


@pytest.fixture
def smooth() -> Callable[..., None]:
    """Check the slopes of a float64 layer, and theirs, for its inputs and its parameters."""

    def check(layer: nn.Module, *inputs: torch.Tensor, parameters: bool = True) -> None:
        layer = layer.double()
        names = [n for n, _ in layer.named_parameters()] if parameters else []
        values = [layer.get_parameter(n).detach().clone().requires_grad_() for n in names]
        floats = [x.detach().clone().requires_grad_(x.is_floating_point()) for x in inputs]
        # Copies, because batch normalisation writes into its buffers at every call.
        buffers = dict(layer.named_buffers())

        def f(*tensors: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
            x, w = tensors[: len(floats)], tensors[len(floats) :]
            fresh = {n: b.clone() for n, b in buffers.items()}
            return functional_call(layer, {**dict(zip(names, w, strict=True)), **fresh}, x)

        assert gradcheck(f, (*floats, *values))
        assert gradgradcheck(f, (*floats, *values))

    return check
