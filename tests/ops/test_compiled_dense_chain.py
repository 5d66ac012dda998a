"""Linear layers in one call against one after the other."""

from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from gradatim.ops.compiled.dense import obstacle
from gradatim.ops.compiled.dense_chain import Chain


@pytest.fixture(autouse=True)
def machine_code() -> None:
    """Skip where there is none."""
    if obstacle():
        pytest.skip(f"skipped: {obstacle()}")


@pytest.mark.parametrize("widths", [(3, 2), (40, 17, 5), (784, 256, 128, 10)])
def test_it_multiplies_as_torch_does(widths):
    chance = torch.Generator().manual_seed(0)
    layers = [
        (torch.randn(b, a, generator=chance), torch.randn(b, generator=chance), i % 2 == 0)
        for i, (a, b) in enumerate(pairwise(widths))
    ]
    chain = Chain(layers)
    for rows in (1, 5, 64, 5, 0):
        x = torch.randn(rows, widths[0], generator=chance)
        right = x
        for weight, bias, bend in layers:
            right = F.linear(right, weight, bias)
            right = right.relu() if bend else right
        torch.testing.assert_close(chain.multiply(x), right, rtol=1e-4, atol=1e-2)


def test_rows_may_have_gaps_and_more_dimensions():
    weight, bias = torch.randn(4, 6), torch.randn(4)
    chain, x = Chain([(weight, bias, False)]), torch.randn(3, 6, 5).mT
    said = chain.multiply(x)
    assert said.shape == (3, 5, 4)
    torch.testing.assert_close(said, F.linear(x, weight, bias))
    assert chain.multiply(x[:0]).shape == (0, 5, 4)
    wide = torch.randn(7, 9)
    torch.testing.assert_close(chain.multiply(wide[:, 2:8]), F.linear(wide[:, 2:8], weight, bias))


def test_numbers_are_those_of_the_beginning():
    weight, bias = torch.ones(1, 2), torch.zeros(1)
    chain = Chain([(weight, bias, True)])
    assert chain.multiply(torch.ones(1, 2)).item() == 2
    assert chain.multiply(-torch.ones(1, 2)).item() == 0
