"""The ladder of masks: each rung on pictures that it can and on pictures that it cannot do."""

from functools import cache

import numpy as np
import pytest
import torch
from safetensors.torch import save
from sklearn.ensemble import HistGradientBoostingClassifier

from gradatim.core.recipe import Recipe
from gradatim.core.rung import Model, Rung, Solved, Trained
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Image, Mask, Picture, Signature
from gradatim.evaluate.judge import judge
from gradatim.models import RUNGS
from gradatim.models.segmentation.pixel_classifier import PixelClassifier
from gradatim.ops.multiply_adds import multiply_adds
from gradatim.runs.model_folder import load_model, save_model
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting

SOLVED = ["commonest_class", "threshold", "colour_position", "pixel_classifier"]
LADDER = [*SOLVED, "small_cnn", "unet"]


def signature(classes: int = 2, channels: int = 1, height: int = 24, width: int = 30) -> Signature:
    names = tuple(f"class {number}" for number in range(classes))
    image = Image(channels=channels, height=height, width=width, fit="pad")
    return Signature(input=image, output=Mask(names=names))


def discs(rows: int = 8, classes: int = 2, channels: int = 1, seed: int = 0) -> Samples:
    """Dark discs on a bright ground; of three classes the last is a brighter disc. Sizes differ."""
    chance = np.random.default_rng(seed)
    inputs = np.zeros((rows, channels, 24, 30), np.uint8)
    targets = np.full((rows, 24, 30), 255, np.uint8)
    sizes = np.stack([chance.integers(17, 25, rows), chance.integers(20, 31, rows)], 1)
    for row, (height, width) in enumerate(sizes):
        down, across = np.mgrid[:height, :width]
        mask = np.zeros((height, width), np.uint8)
        for number in range(1, classes):
            y, x = chance.uniform(4, height - 4), chance.uniform(4, width - 4)
            mask[(down - y) ** 2 + (across - x) ** 2 < 20] = number
        level = np.array([150, 60, 230])[mask]
        noisy = level[None] + chance.normal(0, 10, (channels, height, width))
        inputs[row, :, :height, :width] = noisy.clip(0, 255)
        mask[0] = 255
        targets[row, :height, :width] = mask
    return Samples(*(torch.from_numpy(a) for a in (inputs, targets)), sizes=torch.from_numpy(sizes))


def fitted(rung: Rung, samples: Samples, meant: Signature, **changes: object) -> Model:
    torch.manual_seed(3)  # whatever it is: chance comes from the seed
    recipe = Recipe()
    if isinstance(rung, Trained):
        recipe = rung.recipe(len(samples), meant)
        small = {"epochs": 2, "patch": 16, "patches": 4}
        recipe = Recipe.parse({**recipe.model_dump(), **small, **changes})
    fitting = Fitting(rung, TASKS["segment"].of(meant), samples, meant, recipe)
    list(fitting)
    return fitting.model


@cache
def tiny(name: str, classes: int = 2, channels: int = 1) -> tuple[Model, Samples, Signature]:
    meant, samples = signature(classes, channels), discs(8, classes, channels)
    return fitted(RUNGS[name].of_size("tiny"), samples, meant), samples, meant


def score(model: Model, samples: Samples, meant: Signature) -> float:
    task = TASKS["segment"].of(meant)
    return judge(model, task, task.metrics["miou"], samples).score


def state(model: Model) -> bytes:
    return save({k: v.contiguous() for k, v in model.state_dict().items()})


def test_the_ladder_in_order():
    rungs = [RUNGS[name]() for name in LADDER]
    assert [r.place for r in rungs] == sorted({r.place for r in rungs})
    assert all(rung.refusal(signature()) is None for rung in rungs)
    category = Signature(input=signature().input, output=Category(names=("a", "b")))
    assert all(rung.refusal(category) is not None for rung in rungs)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", LADDER)
def test_answers_are_finite_logits_of_every_pixel(name, channels, classes):
    model, samples, _ = tiny(name, classes, channels)
    outputs = model(samples.inputs[:2])
    assert outputs.shape == (2, classes, 24, 30)
    assert outputs.isfinite().all()


@pytest.mark.parametrize("name", LADDER)
def test_pictures_of_any_size_alone_and_together(name):
    """Sums may be taken in another order: 1e-4 in float32."""
    model, samples, _ = tiny(name)
    assert model(samples.inputs[:1, :, :1, :3]).shape == (1, 2, 1, 3)
    together = model(samples.inputs[:3])
    alone = torch.cat([model(one) for one in samples.inputs[:3].split(1)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", LADDER)
def test_the_same_seed_gives_the_same_bytes_and_a_folder_keeps_them(name, tmp_path):
    model, samples, meant = tiny(name)
    rung = RUNGS[name].of_size("tiny")
    assert state(fitted(rung, samples, meant)) == state(model)
    save_model(tmp_path, model, rung, meant, "segment", "miou", "a card")
    again, _ = load_model(tmp_path)
    assert torch.equal(again(samples.inputs), model(samples.inputs))


@pytest.mark.parametrize("name", SOLVED)
def test_what_lies_outside_of_a_picture_or_is_ignored_teaches_nothing(name):
    model, samples, meant = tiny(name)
    changed = samples.inputs.clone()
    for row, (height, width) in enumerate(samples.sizes.tolist()):
        changed[row, :, height:] = 99
        changed[row, :, :, width:] = 99
    other = Samples(changed, samples.targets, sizes=samples.sizes)
    assert state(fitted(RUNGS[name].of_size("tiny"), other, meant)) == state(model)


def test_commonest_class_says_the_shares_of_the_pixels():
    model, samples, meant = tiny("commonest_class", 3)
    known = samples.targets[samples.targets != 255]
    shares = (torch.bincount(known, minlength=3) + 1) / (len(known) + 3)
    said = model(samples.inputs[:1]).exp()[0, :, 5, 7]
    torch.testing.assert_close(said, shares.double())
    assert score(model, samples, meant) == pytest.approx((shares[0].item()) / 3, abs=1e-3)


def test_threshold_finds_the_level_and_which_side_is_which():
    model, samples, meant = tiny("threshold")
    assert score(model, samples, meant) > 0.99
    turned = Samples(255 - samples.inputs, samples.targets, sizes=samples.sizes)
    brighter = fitted(RUNGS["threshold"](), turned, meant)
    assert score(brighter, turned, meant) > 0.99
    three, more, many = tiny("threshold", 3)
    assert score(three, more, many) > 0.99


def test_threshold_with_one_level_alone_still_answers():
    samples = discs()
    flat = Samples(torch.full_like(samples.inputs, 7), samples.targets, sizes=samples.sizes)
    assert fitted(RUNGS["threshold"](), flat, signature())(flat.inputs).isfinite().all()


def test_colour_and_position_sees_where_a_threshold_cannot():
    """Noise in which the left half is one class: levels say nothing, places all."""
    samples, meant = discs(), signature()
    chance = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (8, 1, 24, 30), generator=chance, dtype=torch.uint8)
    halves = torch.zeros(8, 24, 30, dtype=torch.uint8)
    halves[:, :, 15:] = 1
    data = Samples(noise, halves)
    assert score(fitted(RUNGS["colour_position"](), data, meant), data, meant) > 0.9
    assert score(fitted(RUNGS["threshold"](), data, meant), data, meant) < 0.6
    assert score(tiny("colour_position")[0], samples, meant) > 0.8


def test_pixel_classifier_answers_like_scikit_learn():
    samples, meant = discs(4, 3), signature(3)
    rung = PixelClassifier(rounds=8, leaves=6, largest=2.0, pixels=3000)
    model = fitted(rung, samples, meant)
    space = model.network.space
    x, t = rung._drawn(samples, space, 0)
    solver = HistGradientBoostingClassifier(
        max_iter=8, max_leaf_nodes=6, max_depth=6, early_stopping=False
    ).fit(x, t)
    picture = samples.inputs[:1, :, :17, :20]
    features = space(model.preprocess(picture))[0].flatten(1).T.numpy()
    said = model(picture)[0].softmax(0).flatten(1).T
    np.testing.assert_allclose(said, solver.predict_proba(features), atol=1e-9)


def test_pixel_classifier_of_two_classes_of_three_never_says_the_third():
    samples, meant = discs(4, 2), signature(3)
    model = fitted(PixelClassifier.of_size("tiny"), samples, meant)
    assert set(TASKS["segment"].of(meant).answers(model, samples).ravel().tolist()) <= {0, 1}
    lone = Samples(samples.inputs, samples.targets.masked_fill(samples.targets == 1, 0))
    model = fitted(PixelClassifier.of_size("tiny"), lone, meant)
    assert (TASKS["segment"].of(meant).answers(model, lone) == 0).all()


@pytest.mark.parametrize("name", ["pixel_classifier", "small_cnn", "unet"])
def test_what_is_seen_from_around_is_learnt(name):
    """Stripes and dots of the same two levels: no pixel says by itself which it belongs to."""
    down, across = np.mgrid[:32, :32]
    stripes, dots = across // 2 % 2, (across // 2 + down // 2) % 2
    left = (across < 16).astype(np.uint8)
    rows = [np.where(mask, stripes, dots) for mask in (left, 1 - left) for _ in range(4)]
    masks = [mask for mask in (left, 1 - left) for _ in range(4)]
    inputs = torch.from_numpy(np.stack(rows)[:, None] * 120 + 60).to(torch.uint8)
    data, meant = Samples(inputs, torch.from_numpy(np.stack(masks))), signature(2, 1, 32, 32)
    rung = RUNGS[name](rounds=20) if name == "pixel_classifier" else RUNGS[name](width=8)
    turns = {"augmentation": {"flip": True}, "epochs": 20, "patch": 24}
    assert score(fitted(rung, data, meant, **turns), data, meant) > 0.85
    assert score(fitted(RUNGS["colour_position"](), data, meant), data, meant) < 0.7


@pytest.mark.parametrize("name", ["small_cnn", "unet"])
def test_the_gradient_reaches_every_parameter(name):
    rung, meant = RUNGS[name](width=4), signature(3)
    assert not isinstance(rung, Solved)
    recipe = rung.recipe(8, meant)
    fitting = Fitting(rung, TASKS["segment"].of(meant), discs(8, 3), meant, recipe)
    batch = fitting.draw(0)
    assert batch.inputs.shape[2:] == (24, 24)
    network = fitting.model.network.train()
    fitting.trainee.loss(network(batch.inputs), batch.targets).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_recipes_of_few_and_of_many_pictures():
    """Few: no picture is held out and all sides are shown. The steps stay about as many."""
    few, many = (RUNGS["unet"]().recipe(rows, signature()) for rows in (19, 2000))
    assert (few.validation, few.augmentation.turn, few.patches) == (0.0, True, 8)
    assert (many.validation, many.augmentation.turn, many.patches) == (0.1, False, 1)


def test_documented_sizes():
    """Parameters and multiply-adds are those that the rungs say they have."""
    small = 9 * 16 + 4 * 9 * 256 + 5 * 32 + 34
    for name, parameters in (("small_cnn", small), ("unet", 482_466)):
        model = RUNGS[name]().build(signature(), {}).eval()
        assert sum(p.numel() for p in model.network.parameters()) == parameters
        pixels = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
        text = " ".join((RUNGS[name].__doc__ or "").split())
        assert f"{parameters:,} parameters" in text
        assert f"{multiply_adds(model, pixels) // 256:,} multiply-adds a pixel" in text


@pytest.mark.parametrize("channels", [1, 3])
def test_the_unet_takes_noise_away_too(channels):
    image = Image(channels=channels, height=16, width=20, fit="pad")
    meant = Signature(input=image, output=Picture(channels=channels, sigma=25.0))
    rung = RUNGS["unet"].of_size("tiny")
    assert rung.refusal(meant) is None
    model = rung.build(meant, {}).eval()
    noisy = 100 + 25 * torch.randn(2, channels, 13, 18)
    with torch.no_grad():
        assert model(noisy).shape == noisy.shape
        for parameter in model.network.parameters():
            parameter.zero_()
        torch.testing.assert_close(model(noisy), noisy)
