"""Networks that find boxes: what they promise of sizes, learning and loading."""

import pytest
import torch
from safetensors.torch import load, save

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import OptimizerChoice, Recipe, Schedule
from gradatim.core.samples import Samples
from gradatim.core.signature import Boxes, Category, Image, Signature
from gradatim.models import RUNGS
from gradatim.tasks.detect import TASK
from gradatim.train.fitting import Fitting

NAMES = ["centernet", "fcos", "detr"]
EPOCHS = {"centernet": 120, "fcos": 120, "detr": 200}
"""Who names what takes queries longer to settle."""
SIDE = 48
SIGNATURE = Signature(
    input=Image(channels=1, height=SIDE, width=SIDE), output=Boxes(names=("dark", "bright"))
)


def pictures(rows: int, seed: int = 0) -> Samples:
    """A dark or bright rectangle in the left half of noise, in every second picture another one in
    the right half."""
    chance = torch.Generator().manual_seed(seed)
    inputs = torch.randint(110, 140, (rows, 1, SIDE, SIDE), generator=chance, dtype=torch.uint8)
    targets = torch.full((rows, 3, 5), -1.0)
    for row in range(rows):
        for half in range(1 + row % 2):
            w, h = torch.randint(10, 20, (2,), generator=chance).tolist()
            left = int(torch.randint(SIDE // 2 - w, (1,), generator=chance)) + half * SIDE // 2
            top = int(torch.randint(SIDE - h, (1,), generator=chance))
            bright = (row + half) % 2
            inputs[row, 0, top : top + h, left : left + w] = 230 if bright else 20
            corners = torch.tensor([left, top, left + w, top + h]) / SIDE
            targets[row, half] = torch.cat([corners, torch.tensor([float(bright)])])
    return Samples(inputs, targets)


def fitting(name: str, samples: Samples, epochs: int, **changes: object) -> Fitting:
    rung = RUNGS[name].of_size("tiny")
    recipe = Recipe(
        optimizer=OptimizerChoice(lr=1e-2 if name != "detr" else 5e-3, weight_decay=0.0),
        schedule=Schedule(warmup=0.1),
        epochs=epochs,
        batch=8,
        validation=0.0,
    ).model_copy(update=changes)
    return Fitting(rung, TASK, samples, SIGNATURE, recipe)


@pytest.mark.parametrize("name", NAMES)
def test_learns_eight_pictures_by_heart(name):
    samples = pictures(8)
    fit = fitting(name, samples, EPOCHS[name])
    list(fit)
    said = TASK.decode(fit.model(samples.inputs))
    reading = TASK.read(said, samples)
    assert TASK.metrics["ap50"].function(*reading) > 0.95
    assert TASK.metrics["ap"].function(*reading) > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_reaches_every_parameter(name):
    fit = fitting(name, pictures(8), 1)
    network, batch = fit.model.network.train(), fit.draw.samples
    fit.trainee.loss(network(batch.inputs), batch.targets).backward()
    dead = [
        k for k, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0
    ]
    assert not dead


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_answered_as_each_picture_alone(name):
    samples = pictures(6)
    fit = fitting(name, samples, 20)
    list(fit)
    with torch.no_grad():
        together = fit.model(samples.inputs)
        alone = torch.cat([fit.model(samples.inputs[[row]]) for row in range(6)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_another_model_of_the_same_numbers_answers_the_same(name):
    samples = pictures(8)
    fit = fitting(name, samples, 2)
    list(fit)
    again = RUNGS[name].of_size("tiny").build(SIGNATURE, {})
    again.load_state_dict(load(save({k: v.clone() for k, v in fit.model.state_dict().items()})))
    assert torch.equal(fit.model(samples.inputs), again.eval()(samples.inputs))


@pytest.mark.parametrize("name", NAMES)
def test_pictures_without_boxes_are_borne(name):
    """Some pictures hold nothing, and the boxes of a batch may all be cropped away."""
    samples = pictures(8)
    samples.targets[:] = -1
    fit = fitting(name, samples, 2)
    records = list(fit)
    assert all(r.values["loss"] >= 0 for r in records)
    assert fit.model(samples.inputs).shape == (8, 100, 6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("height", "width", "seen"),
    [(480, 640, (240, 320)), (1000, 100, (320, 32)), (30, 50, (32, 48)), (5, 5, (16, 16))],
)
def test_pictures_are_seen_in_multiples_of_sixteen_pixels(name, height, width, seen):
    image = Image(channels=3, height=height, width=width)
    model = (
        RUNGS[name].of_size("tiny").build(Signature(input=image, output=Boxes(names=("cell",))), {})
    )
    assert model.preprocess.size == seen
    with torch.no_grad():
        said = model.eval()(torch.zeros(2, 3, height, width, dtype=torch.uint8))
    assert said.shape == (2, 100, 6)


@pytest.mark.parametrize("name", NAMES)
def test_classes_are_refused(name):
    meant = Signature(input=SIGNATURE.input, output=Category(names=("a", "b")))
    refusal = RUNGS[name]().refusal(meant)
    assert "boxes" in str(refusal)


def test_heads_that_do_not_divide_are_named():
    with pytest.raises(ConfigError, match="multiple of the heads"):
        RUNGS["detr"].parse({"dim": 12, "heads": 5})


def test_a_climb_leaves_detr_to_those_who_ask():
    assert [name for name in NAMES if not RUNGS[name].default] == ["detr"]
