"""Costs of models whose sizes can be counted by hand, and of nothing else."""

import pytest
import torch
from torch import nn

from gradatim.compare.costs import measure
from gradatim.core.recipe import Recipe
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Column, Image, Quantity, Signature, Table
from gradatim.models import RUNGS
from gradatim.train.fitting import start

TEN = Category(names=tuple("0123456789"))
NUMBERS = Table(columns=tuple(Column(name=f"x{i}", kind="numeric") for i in range(7)))


def built(name: str, signature: Signature, inputs: torch.Tensor, **settings: object):
    rung = RUNGS[name].parse(settings)
    samples = Samples(inputs, torch.arange(len(inputs)) % 10)
    return start(rung, signature, samples, Recipe()).eval()


def plain(inputs: torch.Tensor) -> Samples:
    return Samples(inputs, torch.zeros(len(inputs)))


def test_lenet5_has_the_costs_of_the_paper():
    """61,706 parameters and 416,520 multiply-adds, as its documentation says."""
    signature = Signature(input=Image(channels=1, height=28, width=28), output=TEN)
    pictures = torch.randint(0, 256, (20, 1, 28, 28), dtype=torch.uint8)
    costs = measure(built("lenet5", signature, pictures), plain(pictures))
    first, second = 28 * 28 * 6 * 25, 10 * 10 * 16 * (6 * 25)
    linear = 400 * 120 + 120 * 84 + 84 * 10
    assert costs.multiply_adds == first + second + linear == 416_520
    assert costs.parameters == 61_706
    preprocessing_and_scale = 4 + 4 + 8  # mean and deviation of one channel; the output's scale
    assert costs.bytes == 4 * 61_706 + preprocessing_and_scale


@pytest.mark.parametrize(("width", "depth"), [(16, 1), (32, 3)])
def test_mlp_is_counted_layer_by_layer(width, depth):
    signature = Signature(input=NUMBERS, output=TEN)
    rows = torch.randn(30, 7, dtype=torch.float64)
    costs = measure(built("mlp", signature, rows, width=width, depth=depth), plain(rows))
    products = 7 * width + (depth - 1) * width**2 + width * 10
    assert costs.multiply_adds == products
    assert costs.parameters == products + depth * width + 10


def test_a_solver_is_counted_by_what_it_keeps():
    signature = Signature(input=NUMBERS, output=Quantity(names=("y",)))
    rows = torch.randn(30, 7, dtype=torch.float64)
    samples = Samples(rows, rows[:, :1])
    ridge = RUNGS["ridge"].of_size("tiny").solve(samples, signature, 0)
    assert measure(ridge, samples).multiply_adds == 7
    assert measure(ridge, samples).parameters == 7 + 1
    knn = RUNGS["knn"].of_size("tiny").solve(samples, signature, 0)
    assert measure(knn, samples).parameters >= 30 * 7
    mean = RUNGS["mean"].of_size("tiny").solve(samples, signature, 0)
    assert measure(mean, samples).multiply_adds == 0


def test_measuring_leaves_the_model_as_it_was():
    signature = Signature(input=Image(channels=1, height=8, width=8), output=TEN)
    pictures = torch.randint(0, 256, (3, 1, 8, 8), dtype=torch.uint8)
    model = built("resnet_small", signature, pictures, width=4)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    costs = measure(model, plain(pictures))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert costs.predict_seconds_1 > 0
    assert costs.predict_seconds_256 > 0
    names = {"parameters", "multiply_adds", "predict_seconds_1", "predict_seconds_256", "bytes"}
    assert set(costs.as_dict()) >= names


def test_a_picture_of_its_own_size_is_measured_at_that_size():
    """A 1 x 1 convolution: as many multiply-adds as the picture, not its canvas, has pixels."""
    model = Model(nn.Identity(), nn.Conv2d(1, 2, 1), nn.Identity())
    canvas = Samples(torch.rand(2, 1, 9, 9), torch.zeros(2), sizes=torch.tensor([[4, 6], [9, 9]]))
    assert measure(model, canvas).multiply_adds == 2 * 4 * 6
