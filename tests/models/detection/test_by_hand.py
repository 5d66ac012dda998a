"""Detectors without a network, on pictures of discs and bars that are drawn here."""

import numpy as np
import pytest
import torch

from gradatim.core.chunks import in_chunks
from gradatim.core.samples import Samples
from gradatim.core.signature import Boxes, Image, Signature
from gradatim.layers.detection.hog_windows import HogWindows
from gradatim.layers.detection.watershed_regions import WatershedRegions
from gradatim.models.detection import watershed
from gradatim.models.detection.hog_windows import WindowsByHand
from gradatim.models.detection.watershed import Watershed
from gradatim.runs.model_folder import load_model, save_model
from gradatim.tasks.detect import TASK

DISC, BAR = 0, 1
RUNGS = {
    "watershed": Watershed.of_size("tiny"),
    "hog_windows": WindowsByHand.of_size("tiny"),
}


def signature(channels: int = 3, names: tuple[str, ...] = ("disc", "bar")) -> Signature:
    image = Image(channels=channels, height=48, width=64)
    return Signature(input=image, output=Boxes(names=names))


def drawn(rows: int = 12, channels: int = 3, bright: bool = False, seed: int = 0) -> Samples:
    """Discs on the left, flat bars on the right, darker or brighter than a noisy background."""
    chance = np.random.default_rng(seed)
    pictures = chance.normal(180, 4, (rows, channels, 48, 64))
    targets = np.full((rows, 3, 5), -1.0)
    down, across = np.mgrid[:48, :64]
    for row in range(rows):
        x, y, radius = chance.integers(12, 20), chance.integers(12, 36), chance.integers(7, 11)
        disc = (across - x) ** 2 + (down - y) ** 2 <= radius**2
        left, top = chance.integers(36, 42), chance.integers(4, 38)
        bar = (abs(across - left - 9) <= 9) & (abs(down - top - 3) <= 3)
        pictures[row, :, disc] = 60
        pictures[row, -1, bar] = 110
        pictures[row, :-1, bar] = 90
        targets[row, 0] = [x - radius, y - radius, x + radius + 1, y + radius + 1, DISC]
        targets[row, 1] = [left, top, left + 19, top + 7, BAR]
    targets[:, :2, :4] /= [64, 48, 64, 48]
    levels = 255 - pictures if bright else pictures
    inputs = torch.from_numpy(levels.clip(0, 255).astype(np.uint8))
    return Samples(inputs, torch.from_numpy(targets).float())


def scores(model, samples: Samples) -> dict[str, float]:
    reading = TASK.read(TASK.decode(in_chunks(model, samples.inputs)), samples)
    return {name: metric(*reading) for name, metric in TASK.metrics.items()}


@pytest.fixture(scope="module", params=RUNGS)
def fitted(request):
    rung = RUNGS[request.param]
    return rung, rung.solve(drawn(), signature(), seed=0)


def test_finds_things_on_pictures_it_has_not_seen(fitted):
    _, model = fitted
    found = scores(model, drawn(seed=1))
    assert found["ap50"] > 0.9
    assert found["f1"] > 0.8


@pytest.mark.parametrize("name", RUNGS)
@pytest.mark.parametrize("bright", [False, True])
def test_takes_grey_pictures_dark_or_bright(name, bright):
    model = RUNGS[name].solve(drawn(channels=1, bright=bright), signature(1), seed=0)
    assert scores(model, drawn(channels=1, bright=bright, seed=1))["ap50"] > 0.8


def test_answers_are_boxes_best_first_and_never_beyond_the_border(fitted):
    _, model = fitted
    answers = in_chunks(model, drawn().inputs)
    assert answers.shape == (12, 100, 6)
    real = answers[answers[..., 5] >= 0]
    assert (real[:, :4] >= 0).all()
    assert (real[:, :5] <= 1).all()
    assert (real[:, 2:4] >= real[:, :2]).all()
    assert (answers[..., 4].diff(dim=1) <= 0).all()
    assert (answers[answers[..., 5] < 0] == -1).all()


def test_a_batch_is_its_pictures_one_by_one(fitted):
    _, model = fitted
    inputs = drawn(seed=2).inputs
    alone = torch.cat([model(picture[None]) for picture in inputs])
    torch.testing.assert_close(model(inputs), alone)


def test_is_the_same_after_saving_and_loading(fitted, tmp_path):
    rung, model = fitted
    save_model(tmp_path, model, rung, signature(), "detect", "ap", "a model")
    loaded, card = load_model(tmp_path)
    assert card.rung == rung.file
    inputs = drawn(seed=2).inputs
    assert torch.equal(in_chunks(loaded, inputs), in_chunks(model, inputs))


def test_the_empty_model_has_the_shapes_of_the_fitted_one(fitted):
    rung, model = fitted
    with torch.device("meta"):
        empty = rung.build(signature(), model.extents)
    shapes = {k: (v.shape, v.dtype) for k, v in model.state_dict().items()}
    assert {k: (v.shape, v.dtype) for k, v in empty.state_dict().items()} == shapes


def test_equal_seeds_give_equal_models(fitted):
    rung, model = fitted
    again = rung.solve(drawn(), signature(), seed=0).state_dict()
    assert all(torch.equal(again[k], v) for k, v in model.state_dict().items())


@pytest.mark.parametrize("name", RUNGS)
def test_pictures_without_boxes_teach_that_there_are_none(name):
    samples = drawn(6)
    empty = Samples(samples.inputs, torch.full((6, 1, 5), -1.0))
    model = RUNGS[name].solve(empty, signature(), seed=0)
    found = TASK.read(TASK.decode(in_chunks(model, samples.inputs)), empty)[0]
    assert not ((found[..., 0] >= 0) & (found[..., 1] >= 0.5)).any()


@pytest.mark.parametrize("name", RUNGS)
def test_even_pictures_have_nothing_to_be_found(name):
    samples = drawn(6)
    even = Samples(torch.full_like(samples.inputs, 128), samples.targets)
    model = RUNGS[name].solve(even, signature(), seed=0)
    answers = in_chunks(model, even.inputs)
    assert answers.isfinite().all()


def test_takes_one_class_alone():
    samples = drawn()
    discs = Samples(samples.inputs, samples.targets[:, :1])
    for rung in RUNGS.values():
        model = rung.solve(discs, signature(names=("disc",)), seed=0)
        assert scores(model, discs)["ap50"] > 0.9


def test_a_missing_package_is_a_refusal_with_a_remedy(monkeypatch):
    monkeypatch.setattr(watershed, "find_spec", lambda name: None)
    refusal = RUNGS["watershed"].refusal(signature())
    assert refusal is not None
    assert 'pip install "gradatim[pictures]"' in refusal.remedy
    assert RUNGS["hog_windows"].refusal(signature()) is None


def test_moves_make_boxes_more_exact():
    """Targets that are larger than what can be seen, as boxes around cells are."""
    samples = drawn()
    grown = samples.targets.clone()
    grown[:, :2, :2] -= 0.04
    grown[:, :2, 2:4] += 0.04
    wider = Samples(samples.inputs, grown)
    plain = Watershed.parse({**Watershed.sizes["tiny"], "moves": False})
    still, free = (r.solve(wider, signature(), seed=0) for r in (plain, RUNGS["watershed"]))
    assert scores(free, wider)["ap"] > scores(still, wider)["ap"] + 0.2


def test_touching_discs_are_told_apart():
    """Two discs whose middles are 14 pixels apart and whose edges meet."""
    down, across = np.mgrid[:32, :48]
    discs = [(across - x) ** 2 + (down - 16) ** 2 <= 56 for x in (16, 30)]
    picture = np.where(discs[0] | discs[1], 40, 200)
    picture[0, :16] = 120  # a third level, so that there are two thresholds
    regions = WatershedRegions(Image(channels=1, height=32, width=48), side=48)
    regions.apart.fill_(3)
    found = regions(torch.from_numpy(picture[None, None].astype(np.uint8)))[0]
    boxes = (found[:, :4] * torch.tensor([48, 32, 48, 32])).round().int().tolist()
    # The middle line, 23 pixels from the left, goes to one or the other.
    middle = [box for box in boxes if box[1] == 9 and box[3] == 24]
    assert {(box[0], box[2]) for box in middle} in [{(9, 23), (23, 38)}, {(9, 24), (24, 38)}]


def test_convolutions_judge_windows_as_their_features_do():
    """The scores of all windows at once are those of the features of each."""
    torch.manual_seed(0)
    network = HogWindows(channels=3, classes=2, shapes=2, cells=4, cell=3)
    network.shapes.copy_(torch.tensor([[0.4, 0.5], [0.8, 0.3]]))
    network.weights.copy_(torch.randn_like(network.weights))
    network.bias.copy_(torch.randn_like(network.bias))
    planes = torch.rand(3, 40, 50)
    for k, view in enumerate(network.views(planes)):
        every = view.features(torch.arange(len(view)))
        expected = every @ network.weights[:2].T + network.bias[k, :2]
        torch.testing.assert_close(network.judged(view, k)[1], expected, atol=1e-4, rtol=1e-4)


def test_windows_have_their_shape_and_lie_where_they_look():
    network = HogWindows(channels=1, classes=1, shapes=1, cells=4, cell=3)
    network.shapes.copy_(torch.tensor([[0.25, 0.5]]))
    planes = torch.zeros(1, 24, 48)
    planes[0, 12:, 24:36] = 1.0
    (view,) = network.views(planes)
    sides = view.boxes[:, 2:] - view.boxes[:, :2]
    torch.testing.assert_close(sides, torch.tensor([[0.25, 0.5]]).double().expand_as(sides))
    levels = view.features(torch.arange(len(view)))[:, network.blocks :].mean(1)
    torch.testing.assert_close(
        view.boxes[levels.argmax()], torch.tensor([0.5, 0.5, 0.75, 1.0]).double()
    )


def test_windows_for_very_small_things_stay_affordable():
    """A thing of a thousandth of the picture would ask for one of 12,000 pixels a side."""
    network = HogWindows(channels=1, classes=1, shapes=1, cells=4, cell=3)
    network.shapes.fill_(0.001)
    (view,) = network.views(torch.zeros(1, 24, 48))
    sides = (view.boxes[0, 2:] - view.boxes[0, :2]).tolist()
    assert sides == pytest.approx([12 / (3 * 48), 12 / (3 * 24)])
