"""Networks that remove noise: their shapes, how they begin, and that they learn."""

import pytest
import torch

from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Image, Picture, Signature
from gradatim.models import RUNGS
from gradatim.tasks.denoise import Denoise
from gradatim.train.fitting import Fitting

SIGMA = 25.0
NAMES = ["autoencoder", "dncnn"]


def signature(channels: int = 1, **noise: object) -> Signature:
    image = Image(channels=channels, height=32, width=40, fit="pad")
    return Signature(input=image, output=Picture(channels=channels, **noise))


def waves(rows: int = 6) -> torch.Tensor:
    down, across = torch.meshgrid(torch.arange(32.0), torch.arange(40.0), indexing="ij")
    speed = 0.15 + 0.05 * torch.arange(rows)[:, None, None]
    return (128 + 100 * torch.sin(speed * down) * torch.cos(speed * across))[:, None]


def parameters(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_parameters_as_published_and_as_the_rung_says():
    """3 x 3 x 64 x 64 weights and 2 x 64 of the norm in 15 layers, and the two ends."""
    rung = RUNGS["dncnn"](depth=17, width=64, norm="batch")
    published = 640 + 15 * (36_864 + 128) + 577
    assert parameters(rung.build(signature(), {})) == published == 556_097
    assert parameters(RUNGS["dncnn"]().build(signature(), {})) == 56_097
    assert parameters(RUNGS["autoencoder"]().build(signature(), {})) == 195_593
    assert "195,593" in RUNGS["autoencoder"].__doc__
    assert "556,097" in RUNGS["dncnn"].__doc__
    assert "56,097" in RUNGS["dncnn"].__doc__


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(16, 16), (17, 35)])
@pytest.mark.parametrize("name", NAMES)
def test_answers_with_pictures_of_the_same_size(name, size, channels):
    torch.manual_seed(0)
    model = RUNGS[name]().build(signature(channels), {}).eval()
    levels = 255 * torch.rand(2, channels, *size)
    answers = model(levels)
    assert answers.shape == levels.shape
    assert answers.dtype == torch.float32
    torch.testing.assert_close(model(levels[:1]), answers[:1], atol=1e-3, rtol=0)


def test_dncnn_begins_near_the_noisy_picture():
    torch.manual_seed(0)
    model = RUNGS["dncnn"]().build(signature(), {})
    noisy = waves() + SIGMA * torch.randn(6, 1, 32, 40)
    taken = (noisy - model(noisy)).square().mean().sqrt()
    assert 0 < taken < SIGMA


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_learns_to_remove_noise(name, noisy):
    """Of targets that are noisy too, as many epochs teach nearly as much."""
    about = signature(sigma=SIGMA, noisy=noisy)
    clean = waves()
    task, data = Denoise().of(about), Samples(clean, clean, sizes=torch.tensor([[32, 40]] * 6))
    rung = RUNGS[name](width=12)
    usual = rung.recipe(len(data), about).model_dump()
    changes = {"epochs": 8, "patch": 24, "patches": 50, "seed": 1}
    recipe = Recipe.parse(usual | changes | {"optimizer": {"lr": 5e-3}})
    fitting = Fitting(rung, task, data, about, recipe)
    records = list(fitting)
    assert records[-1].values["loss"] < records[0].values["loss"]
    unseen = Denoise(sigma=SIGMA).renewed(data, torch.Generator().manual_seed(5))
    with torch.no_grad():
        error = (fitting.model(unseen.inputs) - clean).square().mean()
    assert error < SIGMA**2 / 3


def test_every_parameter_gets_a_gradient_from_the_first_step():
    for name in NAMES:
        torch.manual_seed(0)
        model = RUNGS[name].of_size("tiny").build(signature(), {})
        noisy = waves() + SIGMA * torch.randn(6, 1, 32, 40)
        Denoise().loss(model(noisy), waves()).backward()
        assert all(p.grad.abs().sum() > 0 for p in model.parameters()), name


def test_the_recipe_draws_as_many_squares_from_few_pictures_as_from_many():
    for rows in (10, 400, 5000):
        recipe = RUNGS["dncnn"]().recipe(rows, signature(sigma=SIGMA))
        assert rows * recipe.patches >= 1600
        assert recipe.patch % RUNGS["dncnn"]().fold == 0
        assert recipe.validation == 0


def test_a_blind_network_learns_from_noise_of_all_strengths():
    about, clean = signature(sigma=SIGMA), waves(200)
    rung = RUNGS["dncnn"](blind=True)
    task = rung.taught(Denoise().of(about), rung.build(about, {}))
    seen = task.renewed(Samples(clean, clean), torch.Generator().manual_seed(0))
    assert torch.equal(seen.targets, clean)
    sigmas = (seen.inputs - clean).flatten(1).std(1)
    assert sigmas.min() < 5
    assert 50 < sigmas.max() < 58
    # Uniform on 0 to 55: the mean of 200 is 27.5 with a deviation of 1.1.
    assert sigmas.mean().item() == pytest.approx(27.5, abs=4)
    measured = Samples(clean + 1, clean)
    unknown = rung.taught(Denoise().of(signature()), rung.build(signature(), {}))
    assert unknown.renewed(measured, torch.Generator()) is measured
    outputs, targets = torch.rand(2, 1, 4, 4), torch.rand(2, 1, 4, 4)
    assert torch.equal(task.losses(outputs, targets), Denoise().losses(outputs, targets))


def test_a_blind_network_reads_how_strong_the_noise_is():
    rung = RUNGS["dncnn"](blind=True, depth=3, width=8, fold=2)
    model = rung.build(signature(), {}).eval()
    first = model.network.network[1]
    assert first.in_channels == 2 * rung.fold**2
    assert model(waves()).shape == (6, 1, 32, 40)
    usual = Denoise()
    assert RUNGS["dncnn"]().taught(usual, model) is usual


@pytest.mark.parametrize("rung", [("autoencoder", {}), ("dncnn", {}), ("dncnn", {"fold": 2})])
def test_large_pictures_are_answered_in_strips_that_do_not_show(rung, monkeypatch):
    torch.manual_seed(0)
    name, settings = rung
    model = RUNGS[name](width=8, **settings).build(signature(), {}).eval()
    picture = 255 * torch.rand(1, 1, 203, 40)
    with torch.no_grad():
        whole = model(picture)
        monkeypatch.setattr("gradatim.layers.denoising.levels.STRIP", 40 * 32)
        strips = model(picture)
        model.network.reach = 0
        unaware = model(picture)
    torch.testing.assert_close(strips, whole, atol=1e-3, rtol=0)
    assert (unaware - whole).abs().max() > 1e-2
