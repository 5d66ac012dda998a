"""What all rungs of the ladder promise: files, batches, seeds, any size, and that noise goes."""

from functools import cache

import numpy as np
import pytest
import torch
from safetensors.torch import save

from gradatim.core.recipe import Recipe
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Image, Picture, Signature
from gradatim.models import RUNGS
from gradatim.runs.model_folder import load_model, save_model
from gradatim.tasks.denoise import Denoise
from gradatim.train.fitting import Fitting

SIGMA = 25.0
NAMES = [n for n in RUNGS.names() if "picture" in RUNGS[n].answers]
CHANNELS = [1, 3]


def signature(channels: int) -> Signature:
    image = Image(channels=channels, height=32, width=40, fit="pad")
    return Signature(input=image, output=Picture(channels=channels, sigma=SIGMA))


def noisy(channels: int) -> Samples:
    """Waves under noise; the second picture fills a part of its canvas."""
    down, across = torch.meshgrid(torch.arange(32.0), torch.arange(40.0), indexing="ij")
    waves = torch.stack([(0.2 * down + k).sin() * (0.1 * across).cos() for k in range(4)])
    clean = (128 + 90 * waves)[:, None].repeat(1, channels, 1, 1)
    sizes = torch.tensor([[32, 40], [24, 31], [32, 40], [32, 40]])
    chance = torch.Generator().manual_seed(0)
    return Denoise(sigma=SIGMA).renewed(Samples(clean, clean, sizes=sizes), chance)


def fit(name: str, channels: int, seed: int = 0) -> Model:
    rung, about = RUNGS[name].of_size("tiny"), signature(channels)
    task, data = Denoise().of(about), noisy(channels)
    recipe = Recipe(epochs=2, batch=4, patch=16, patches=4, validation=0.0, seed=seed)
    fitting = Fitting(rung, task, data, about, recipe)
    list(fitting)
    return fitting.model


@cache
def fitted(name: str, channels: int) -> Model:
    return fit(name, channels)


def state_bytes(model: Model) -> bytes:
    return save({key: value.contiguous() for key, value in model.state_dict().items()})


def test_the_ladder_is_complete_and_in_order():
    ladder = sorted(NAMES, key=lambda name: RUNGS[name]().place)
    classical = ["gauss", "median", "wavelet", "total_variation", "non_local_means", "wiener"]
    assert ladder == ["as_it_is", *classical, "autoencoder", "dncnn", "unet"]
    assert len({RUNGS[name]().place for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_classes_are_left_to_other_rungs(name):
    classes = Signature(input=signature(1).input, output=Category(names=("a", "b")))
    assert RUNGS[name]().refusal(classes) is not None
    assert RUNGS[name]().refusal(signature(1)) is None


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_answers_with_the_same_bits(name, channels, tmp_path):
    model = fitted(name, channels)
    rung = RUNGS[name].of_size("tiny")
    save_model(tmp_path / "m", model, rung, signature(channels), "denoise", "psnr", "text")
    loaded, card = load_model(tmp_path / "m")
    assert card.signature == signature(channels)
    inputs = noisy(channels).inputs
    with torch.no_grad():
        assert torch.equal(loaded(inputs), model(inputs))


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_its_rows_one_by_one_at_any_size(name, channels):
    model = fitted(name, channels)
    inputs = noisy(channels).inputs[:, :, :29, :37]
    with torch.no_grad():
        answers = model(inputs)
        alone = torch.cat([model(inputs[row : row + 1]) for row in range(len(inputs))])
    assert answers.shape == inputs.shape
    assert answers.isfinite().all()
    torch.testing.assert_close(answers, alone, atol=1e-2, rtol=0)  # of 255 levels, in float32


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_gives_the_same_bytes(name):
    assert state_bytes(fit(name, 1)) == state_bytes(fitted(name, 1))


@pytest.mark.parametrize("name", NAMES)
def test_pictures_that_are_all_the_same_level_stay_finite(name):
    flat = torch.full((2, 1, 20, 20), 200.0)
    with torch.no_grad():
        answers = fitted(name, 1)(flat).numpy()
    assert np.isfinite(answers).all()
