"""The derivatives of every trained rung, first and second, against differences in float64.

Along random directions (`fast_mode`), through the whole network, in evaluation mode: dropout and
batch statistics would make the function another one at every call.
"""

from functools import partial

import pytest
import torch
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from .examples import example, trained

FIRST = dict(reversed([pair for pair in trained() if not pair[1].endswith("synthesis")]))
"""One signature a rung: its layers are the same for all. What draws rows looks at none."""


@pytest.fixture(params=FIRST)
def case(request):
    """A rung's network as a function of some rows and of its weights, in float64."""
    chosen = example(request.param, FIRST[request.param], rows=12)
    model = chosen.fitting(validation=0.0).model
    # Not the first row: the empty part of its canvas has ties, where a maximum has no derivative.
    features, shown = model.preprocess(chosen.samples.inputs[1:3]), ()
    if chosen.signature.output.kind == "translation":  # with the right words before each
        shown = (model.output.encode(chosen.samples.targets[1:3]),)
    network = model.network.double().eval().requires_grad_(True)
    weights = dict(network.named_parameters())
    # Away from symmetric starts, such as a class token of zeros, and from the bends of ReLU.
    chance = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in weights.values():
            noise = torch.randn(weight.shape, generator=chance, dtype=torch.float64)
            weight.add_(0.05 * noise)

    def function(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        # The fused kernels of attention have no second derivative.
        with sdpa_kernel(SDPBackend.MATH):
            return functional_call(network, dict(zip(weights, values, strict=True)), (x, *shown))

    if not features.is_floating_point():  # tokens, which have no slope
        return partial(function, features), tuple(weights.values())
    return function, (features.double().requires_grad_(True), *weights.values())


def test_gradients_are_those_of_differences(case):
    assert torch.autograd.gradcheck(*case, fast_mode=True, atol=1e-6, rtol=1e-4)


def test_gradients_of_gradients_are_those_of_differences(case):
    assert torch.autograd.gradgradcheck(*case, fast_mode=True, atol=1e-5, rtol=1e-3)
