"""Filters that are thought out: what they compute, and how their one number is chosen."""

import importlib.util

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, median_filter
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Picture, Signature
from gradatim.models import RUNGS
from gradatim.models.denoising._restoring import cut_out
from gradatim.tasks.denoise import Denoise

NAMES = ["gauss", "median", "wavelet", "total_variation", "non_local_means"]
SIGMA = 25.0


def signature(channels: int = 1, sigma: float | None = SIGMA) -> Signature:
    image = Image(channels=channels, height=48, width=64, fit="pad")
    return Signature(input=image, output=Picture(channels=channels, sigma=sigma))


def scenes(rows: int = 4, channels: int = 1) -> torch.Tensor:
    """Discs and stripes: flat patches with edges, as photographs have them."""
    down, across = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    shapes = []
    for row in range(rows):
        disc = ((down - 20) ** 2 + (across - 12 - 10 * row) ** 2 < 150).float()
        stripe = ((down + 2 * across) // 24 % 2).float()
        shapes.append(60 + 100 * disc + 50 * stripe)
    shade = 1 - 0.2 * torch.arange(channels)[:, None, None]
    return torch.stack(shapes)[:, None] * shade


def samples(rows: int = 4, channels: int = 1) -> Samples:
    clean = scenes(rows, channels)
    chance = torch.Generator().manual_seed(0)
    return Denoise(sigma=SIGMA).renewed(Samples(clean, clean), chance)


def error(model: torch.nn.Module, data: Samples) -> float:
    return (model(data.inputs) - data.targets).square().mean().item()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_takes_away_most_of_the_noise(name, channels):
    data = samples(channels=channels)
    model = RUNGS[name]().solve(data, signature(channels), 0)
    assert model(data.inputs).dtype == torch.float32
    assert error(model, data) < SIGMA**2 / 2


def expected(name: str, picture: np.ndarray, strength: float) -> np.ndarray:
    """The same by the library's function, on a picture (height, width)."""
    share = strength * SIGMA / 255
    if name == "gauss":
        return gaussian_filter(picture, strength)
    if name == "median":
        return median_filter(picture, int(strength))
    if name == "wavelet":
        return 255 * denoise_wavelet(picture / 255, sigma=share, wavelet="sym4")
    if name == "total_variation":
        return 255 * denoise_tv_chambolle(picture / 255, weight=share)
    sizes = {"patch_size": 5, "patch_distance": 6, "fast_mode": True}
    return 255 * denoise_nl_means(picture / 255, h=share, sigma=SIGMA / 255, **sizes)


@pytest.mark.parametrize("name", NAMES)
def test_is_the_librarys_filter_at_the_strength_of_the_grid_that_is_best(name):
    """The picture is wider than high: a filter that turns it over would be seen."""
    data, rung = samples(), RUNGS[name](pictures=4)
    model = rung.solve(data, signature(), 0)
    strength = float(model.network.strength)
    by_library = {
        tried: np.stack([expected(name, x[0].numpy(), tried) for x in data.inputs])
        for tried in rung.grid
    }
    errors = {k: np.square(v - data.targets[:, 0].numpy()).mean() for k, v in by_library.items()}
    assert strength == min(errors, key=errors.get)
    np.testing.assert_allclose(model(data.inputs)[:, 0], by_library[strength], atol=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_estimates_noise_that_nobody_told(name):
    data = samples()
    model = RUNGS[name]().solve(data, signature(sigma=None), 0)
    assert error(model, data) < SIGMA**2 / 2
    twice = torch.cat([data.inputs[:1], data.targets[:1]])  # one noisy, one clean
    answers = model(twice)
    for row in (0, 1):
        torch.testing.assert_close(answers[row : row + 1], model(twice[row : row + 1]))


@pytest.mark.parametrize("name", [*NAMES, "wiener"])
def test_what_lies_outside_of_a_picture_teaches_nothing(name):
    data = samples(3)
    sizes = torch.tensor([[48, 64], [30, 64], [48, 33]])
    ruined = data.inputs.clone()
    ruined[1, :, 30:] = 1e4
    ruined[2, :, :, 33:] = -1e4
    rung = RUNGS[name].of_size("tiny").model_copy(update={"pictures": 3})
    if name == "wiener":
        rung = RUNGS[name].of_size("tiny")
    states = [
        rung.solve(Samples(inputs, data.targets, sizes=sizes), signature(), 0).state_dict()
        for inputs in (data.inputs, ruined)
    ]
    for key, value in states[0].items():
        assert torch.equal(value, states[1][key]), key


def test_a_middle_is_cut_from_what_is_real():
    canvas = torch.arange(20.0).repeat(2, 1, 20, 1)
    data = Samples(canvas, canvas, sizes=torch.tensor([[20, 20], [5, 9]]))
    noisy, clean = cut_out(data, 0, 8)
    assert noisy.shape == clean.shape == (1, 1, 8, 8)
    assert noisy[0, 0, 0].tolist() == list(range(6, 14))
    assert cut_out(data, 1, 8)[0].shape == (1, 1, 5, 8)


def test_without_the_package_the_rung_is_refused_and_says_what_to_install(monkeypatch):
    usual = importlib.util.find_spec
    monkeypatch.setattr(
        "gradatim.models.denoising._restoring.find_spec",
        lambda name: None if name == "pywt" else usual(name),
    )
    refusal = RUNGS["wavelet"]().refusal(signature())
    assert "PyWavelets" in refusal.reason
    assert "gradatim[pictures]" in refusal.remedy
    assert RUNGS["total_variation"]().refusal(signature()) is None
    assert RUNGS["gauss"]().refusal(signature()) is None


def test_as_it_is_answers_with_the_input():
    data = samples()
    model = RUNGS["as_it_is"]().solve(data, signature(), 0)
    assert torch.equal(model(data.inputs), data.inputs)


@pytest.mark.parametrize("channels", [1, 3])
def test_wiener_finds_the_filter_that_made_the_targets(channels):
    """Targets are a linear filter of the inputs, so least squares has no error left."""
    chance = torch.Generator().manual_seed(3)
    inputs = 128 + 40 * torch.randn(3, channels, 40, 52, generator=chance)
    kernel = torch.randn(channels, channels, 3, 3, generator=chance)
    around = torch.nn.functional.pad(inputs, [1] * 4, mode="reflect")
    targets = torch.nn.functional.conv2d(around, kernel) + 7
    rung = RUNGS["wiener"](side=3, pixels=3000)
    model = rung.solve(Samples(inputs, targets), signature(channels), 0)
    torch.testing.assert_close(model.network.weight.data, kernel, atol=1e-4, rtol=0)
    torch.testing.assert_close(model(inputs), targets, atol=0.02, rtol=0)


def test_wiener_is_no_worse_than_the_best_gauss_on_what_it_learnt_from():
    """A Gaussian window is one linear filter of many; 0.1 % for pixels that were not drawn."""
    data = samples(8)
    gauss = RUNGS["gauss"](pictures=8).solve(data, signature(), 0)
    wiener = RUNGS["wiener"](side=9, pixels=200_000).solve(data, signature(), 0)
    assert error(wiener, data) < 1.001 * error(gauss, data)


def test_wiener_wants_a_window_with_a_middle():
    with pytest.raises(ValueError, match="odd side"):
        RUNGS["wiener"](side=4)
