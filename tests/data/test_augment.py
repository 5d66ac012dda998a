"""What augmentation does to pictures and rows, and that a step alone decides it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import Augmentation, Recipe
from gradatim.core.samples import Samples
from gradatim.data.augment import PICTURES_ONLY, augment
from gradatim.data.augmentation.cutout import blanked
from gradatim.data.augmentation.geometry import cropped, mirrored, placed, rotated, shifted
from gradatim.data.augmentation.mixup import beta, mixed
from gradatim.data.batches import Batches

CHANGES = st.builds(
    Augmentation,
    shift=st.integers(0, 9),
    flip=st.booleans(),
    crop=st.sampled_from([0.0, 0.1, 0.6]),
    rotation=st.sampled_from([0.0, 15.0, 180.0]),
    cutout=st.sampled_from([0.0, 0.01, 0.5, 0.99]),
    mixup=st.sampled_from([0.0, 0.001, 0.2, 10.0]),
    noise=st.sampled_from([0.0, 0.1]),
)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(rows: int = 6, channels: int = 1, height: int = 8, width: int = 8) -> torch.Tensor:
    return torch.rand(rows, channels, height, width, generator=chance(1))


def samples(inputs: torch.Tensor, classes: int = 3) -> Samples:
    return Samples(inputs, torch.arange(len(inputs)) % classes)


@settings(max_examples=60)
@given(
    changes=CHANGES,
    rows=st.integers(1, 7),
    channels=st.sampled_from([1, 3]),
    height=st.integers(3, 12),
    width=st.integers(3, 12),
    seed=st.integers(0, 1000),
)
def test_shape_type_range_and_chance(changes, rows, channels, height, width, seed):
    given_ = samples(pictures(rows, channels, height, width))
    before = given_.inputs.clone()
    said = augment(given_, changes, chance(seed), 3)
    assert said.inputs.shape == before.shape
    assert said.inputs.dtype == before.dtype
    assert torch.equal(given_.inputs, before)
    assert said.inputs.isfinite().all()
    if not changes.noise:  # every other change averages values of the picture and 0
        assert said.inputs.min() >= -1e-6
        assert said.inputs.max() <= 1 + 1e-6
    if changes.mixup:
        assert said.targets.shape == (rows, 3)
        assert (said.targets >= 0).all()
        torch.testing.assert_close(said.targets.sum(1), torch.ones(rows))
    else:
        assert torch.equal(said.targets, given_.targets)
    again = augment(given_, changes, chance(seed), 3)
    assert torch.equal(again.inputs, said.inputs)
    assert torch.equal(again.targets, said.targets)


@pytest.mark.parametrize(
    "change",
    [
        {"shift": 2},
        {"flip": True},
        {"crop": 0.5},
        {"rotation": 20.0},
        {"cutout": 0.5},
        {"mixup": 1.0},
        {"noise": 0.1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_change_changes_rows_each_in_its_own_way(change):
    one = pictures(1).repeat(8, 1, 1, 1)
    batch = pictures(8) if "mixup" in change else one
    said = augment(samples(batch), Augmentation(**change), chance(), 3).inputs
    assert (said != batch).flatten(1).any(1).sum() >= 2
    assert len(said.flatten(1).unique(dim=0)) >= 2
    other = augment(samples(batch), Augmentation(**change), chance(1), 3).inputs
    assert not torch.equal(said, other)


def test_mirroring_twice_is_nothing():
    x = pictures(8)
    once = augment(samples(x), Augmentation(flip=True), chance(4), 3)
    twice = augment(once, Augmentation(flip=True), chance(4), 3)
    assert torch.equal(twice.inputs, x)
    assert torch.equal(mirrored(x, torch.ones(8).bool()), x.flip(3))


def test_shift_moves_pixels_and_moves_the_mean_in():
    x = pictures(2)
    said = shifted(x, torch.tensor([2, -3]), torch.tensor([-1, 0]))
    assert torch.equal(said[0, :, 2:, :-1], x[0, :, :-2, 1:])
    assert not said[0, :, :2].any()
    assert not said[0, :, :, -1:].any()
    assert torch.equal(said[1, :, :-3], x[1, :, 3:])


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 7), (5, 12)])
def test_turning_by_nothing_or_in_full_is_nothing(height, width):
    x = pictures(3, 2, height, width)
    for degrees in (0.0, 360.0):
        torch.testing.assert_close(
            placed(x, rotated(torch.full((3,), degrees), *x.shape[2:])), x, atol=1e-5, rtol=0
        )


@pytest.mark.parametrize("side", [8, 7])
@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
def test_quarter_turns_are_torchs(side, quarters):
    """Pixel centres fall on pixel centres, so that bilinear weights are 0 and 1 up to rounding."""
    x = pictures(3, 2, side, side)
    said = placed(x, rotated(torch.full((3,), 90.0 * quarters), *x.shape[2:]))
    torch.testing.assert_close(said, x.rot90(quarters, dims=(2, 3)), atol=1e-5, rtol=0)


def test_a_turn_keeps_lengths_on_pictures_that_are_not_square():
    x = torch.zeros(1, 1, 9, 21)
    x[:, :, 4, 7:14] = 1.0  # a line of 7 pixels through the middle
    said = placed(x, rotated(torch.tensor([90.0]), *x.shape[2:]))
    expected = torch.zeros(1, 1, 9, 21)
    expected[:, :, 1:8, 10] = 1.0
    torch.testing.assert_close(said, expected, atol=1e-4, rtol=0)


def test_keeping_all_of_a_picture_is_nothing():
    x, ones = pictures(4), torch.ones(4)
    torch.testing.assert_close(
        placed(x, cropped(ones, 0.3 * ones, 0.9 * ones)), x, atol=1e-6, rtol=0
    )


@pytest.mark.parametrize(("left", "top"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_a_crop_is_that_part_enlarged(left, top):
    x = pictures(1)
    part = x[:, :, 4 * int(top) : 4 * int(top) + 4, 4 * int(left) : 4 * int(left) + 4]
    expected = F.interpolate(part, size=(8, 8), mode="bilinear", align_corners=False)
    said = placed(x, cropped(torch.tensor([0.5]), torch.tensor([left]), torch.tensor([top])))
    # At its border the part sees its neighbours (or the edge), which interpolate does not.
    torch.testing.assert_close(said[:, :, 1:-1, 1:-1], expected[:, :, 1:-1, 1:-1])


def test_cutout_blanks_the_square_and_nothing_else():
    x = pictures(3) + 1
    said = blanked(x, torch.tensor([2, -1, 6]), torch.tensor([3, 0, 7]), 4)
    expected = x.clone()
    expected[0, :, 2:6, 3:7] = 0
    expected[1, :, :3, :4] = 0
    expected[2, :, 6:, 7:] = 0
    assert torch.equal(said, expected)


def test_cutout_has_the_side_that_was_asked_for():
    x = torch.ones(400, 1, 8, 12)
    said = augment(samples(x), Augmentation(cutout=0.5), chance(), 3).inputs
    blank = (said == 0).flatten(1).sum(1)
    assert blank.max() == 16  # half of the shorter side, squared
    assert blank.min() < 16  # some squares stick out, as in the paper


@settings(max_examples=40)
@given(alpha=st.floats(0.001, 10), rows=st.integers(1, 50), seed=st.integers(0, 1000))
def test_shares_lie_between_0_and_1(alpha, rows, seed):
    share = beta(alpha, rows, chance(seed))
    assert ((share >= 0) & (share <= 1)).all()


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_are_of_the_beta_distribution(alpha):
    share = beta(alpha, 20_000, chance())
    # Mean 1/2, variance 1 / (4 (2 alpha + 1)); 20000 draws know the mean to 0.0035 at most.
    assert share.mean().item() == pytest.approx(0.5, abs=0.015)
    assert share.var().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)


def test_mixup_mixes_inputs_and_targets_alike():
    x = torch.eye(5)  # the input says which rows it comes from
    said = augment(Samples(x, torch.arange(5)), Augmentation(mixup=1.0), chance(2), 5)
    torch.testing.assert_close(said.inputs, said.targets)
    y = torch.arange(5.0, dtype=torch.float64)[:, None]
    quantities = augment(Samples(x, y), Augmentation(mixup=1.0), chance(2), 1)
    torch.testing.assert_close(quantities.targets, said.inputs.double() @ y, atol=1e-6, rtol=0)
    assert quantities.targets.dtype == torch.float64


def test_mixing_formula():
    x, share = torch.tensor([[1.0], [5.0]]), torch.tensor([0.25, 1.0])
    assert mixed(x, share, torch.tensor([1, 0])).tolist() == [[4.0], [5.0]]


def test_noise_has_the_deviation_asked_for():
    x = torch.zeros(200, 50)
    said = augment(samples(x), Augmentation(noise=0.3), chance(), 3).inputs
    assert said.std().item() == pytest.approx(0.3, rel=0.05)  # 10000 draws: 0.7 %


@pytest.mark.parametrize("name", PICTURES_ONLY)
@pytest.mark.parametrize("shape", [(20, 4), (20, 6, 2)], ids=["table", "sequence"])
def test_changes_of_pictures_are_refused_elsewhere(name, shape):
    amounts = {"flip": True, "updown": True, "turn": True, "shift": 1}
    changes = Augmentation(**{name: amounts.get(name, 0.5)})
    with pytest.raises(ConfigError, match=f"augmentation.{name}"):
        Batches(samples(torch.zeros(shape)), Recipe(batch=5, augmentation=changes), 3)


def test_words_are_not_mixed():
    with pytest.raises(ConfigError, match="words"):
        Batches(
            samples(torch.zeros(20, 4).long()),
            Recipe(batch=5, augmentation=Augmentation(mixup=0.2)),
            3,
        )


@pytest.mark.parametrize("shape", [(30, 4), (30, 6, 2), (30, 1, 8, 8)])
def test_batches_change_anything_by_noise_and_mixup(shape):
    given_ = samples(torch.randn(shape, generator=chance()))
    batch = Batches(given_, Recipe(batch=10, augmentation=Augmentation(noise=0.1, mixup=0.4)), 3)(0)
    assert batch.inputs.shape == (10, *shape[1:])
    assert batch.targets.shape == (10, 3)


def test_a_batch_is_a_function_of_its_step():
    """Drawn in another order, after a resume, it is the same."""
    changes = Augmentation(shift=2, flip=True, crop=0.3, rotation=20, cutout=0.3, mixup=0.3)
    given_ = samples(pictures(30))
    forth = [
        Batches(given_, Recipe(batch=10, seed=5, augmentation=changes), 3)(step)
        for step in range(7)
    ]
    resumed = Batches(given_, Recipe(batch=10, seed=5, augmentation=changes), 3)
    for step in (6, 2, 4):
        again = resumed(step)
        assert torch.equal(again.inputs, forth[step].inputs)
        assert torch.equal(again.targets, forth[step].targets)
    other = Batches(given_, Recipe(batch=10, seed=6, augmentation=changes), 3)(2)
    assert not torch.equal(other.inputs, forth[2].inputs)
