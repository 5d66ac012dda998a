"""When answers count as the same."""

import math

import pytest
import torch
from torch import nn

from gradatim.export.parity import difference, disagreement, tolerance

RIGHT = torch.tensor([[1.0, -200.0], [0.5, 3.0]])


@pytest.mark.parametrize("factor", [1.0, 1 + 5e-5])
def test_rounding_is_no_difference(factor):
    assert difference(RIGHT, RIGHT * factor) is None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (RIGHT * (1 + 2e-4), "off by 0.04 where the largest number is 200"),
        (RIGHT[:1], "torch.float32 (1, 2) instead of torch.float32 (2, 2)"),
        (RIGHT.double(), "torch.float64 (2, 2) instead of torch.float32 (2, 2)"),
        (RIGHT * math.nan, "off by nan where the largest number is 200"),
        ((RIGHT, RIGHT), "an answer is no tensor"),
    ],
)
def test_anything_else_is(answer, told):
    assert difference(RIGHT, answer) == told


def test_what_is_infinite_has_to_be_so_with_the_same_sign():
    right = torch.tensor([math.inf, 1.0])
    assert difference(right, right.clone()) is None
    assert difference(right, torch.tensor([-math.inf, 1.0])) is not None
    assert difference(right, torch.tensor([math.nan, 1.0])) is not None


def test_whole_numbers_are_compared_as_they_are():
    right = torch.tensor([10_000_000, 7])
    assert difference(right, right.clone(), 0.0) is None
    assert difference(right, right + 1, 0.0) is not None


def test_a_row_is_asked_alone_too():
    def centred(x: torch.Tensor) -> torch.Tensor:
        return x if len(x) > 1 else x + 1

    found = disagreement(nn.Identity(), centred, torch.zeros(3, 2))
    assert found == "off by 1 where the largest number is 0, 1 rows"


def test_double_precision_is_held_to_more():
    assert tolerance(nn.Linear(2, 2)) == 1e-4
    assert tolerance(nn.Linear(2, 2).double()) == 1e-9
