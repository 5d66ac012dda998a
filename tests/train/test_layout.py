"""How a fit lays out kernels: torch must take every one for channels last."""

import torch

from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Image, Signature
from gradatim.models.resnet_small import ResNetSmall
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting


def fitting() -> Fitting:
    rung = ResNetSmall(width=4)
    picture = Image(channels=1, height=16, width=16)
    signature = Signature(input=picture, output=Category(names=("a", "b")))
    pixels = torch.arange(40 * 256, dtype=torch.uint8).view(40, 1, 16, 16)
    samples = Samples(pixels, torch.arange(40) % 2)
    recipe = rung.recipe(40, signature).model_copy(update={"epochs": 1})
    return Fitting(rung, TASKS["classify"], samples, signature, recipe)


def test_kernels_of_one_channel_or_place_lie_with_channels_last_too():
    """Their numbers lie in either order; torch asks the strides alone."""
    network = fitting().model.network
    kernels = [p for p in network.parameters() if p.dim() == 4]
    assert {p.shape[1] for p in kernels} >= {1, 4}
    assert {p.shape[2] for p in kernels} == {1, 3}
    assert all(p.stride(1) == 1 and p.stride(3) == p.shape[1] for p in kernels)
    stem, x = kernels[0], torch.zeros(2, 1, 16, 16)
    out = torch.nn.functional.conv2d(x, stem, padding=1)
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_afterwards_they_lie_as_a_loaded_model_has_them():
    fit = fitting()
    for _ in fit:
        pass
    kernels = [p for p in fit.model.network.parameters() if p.dim() == 4]
    assert all(p.stride() == torch.empty(p.shape).stride() for p in kernels)
