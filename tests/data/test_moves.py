"""What lies on a picture moves with it: masks, boxes and clean pictures."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import Augmentation, Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import IGNORED
from gradatim.data.augment import augment
from gradatim.data.augmentation.boxes import followed
from gradatim.data.augmentation.moves import MOVES
from gradatim.data.batches import Batches
from gradatim.data.patches import cut

SIDE = 32
AMOUNTS = {"flip": True, "updown": True, "turn": True, "shift": 9, "crop": 0.4, "rotation": 30.0}


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def box(rows: int = 1) -> torch.Tensor:
    """A box of class 1 and no other box."""
    one = torch.tensor([[0.25, 0.5, 0.625, 0.75, 1.0], [-1, -1, -1, -1, -1]])
    return one.expand(rows, 2, 5)


def painted(boxes: torch.Tensor) -> torch.Tensor:
    """Pictures in which the first box is 1."""
    planes = torch.zeros(len(boxes), 1, SIDE, SIDE)
    for plane, (left, top, right, bottom, _) in zip(
        planes, (boxes[:, 0] * SIDE).round(), strict=True
    ):
        plane[0, int(top) : int(bottom), int(left) : int(right)] = 1
    return planes


def around(plane: torch.Tensor) -> torch.Tensor:
    """The box around what is painted, as shares."""
    rows, columns = (plane.amax(axis) > 0.5 for axis in (1, 0))
    y, x = rows.nonzero()[:, 0], columns.nonzero()[:, 0]
    return torch.tensor([x.min(), y.min(), x.max() + 1, y.max() + 1]) / SIDE


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("seed", range(8))
def test_boxes_stay_on_what_they_surround(name, seed):
    """An upright box around a moved rectangle; a turned one's corners stand out by its rounding."""
    move = MOVES[name](painted(box(4)), AMOUNTS[name], chance(seed))
    planes, boxes = move.planes(painted(box(4))), move.on_boxes(box(4))
    for plane, (found, nothing) in zip(planes, boxes, strict=True):
        assert nothing.tolist() == [-1] * 5
        assert found[4] == 1
        within = 1 / SIDE if name not in ("rotation",) else 2 / SIDE
        torch.testing.assert_close(found[:4], around(plane[0]), atol=within + 1e-6, rtol=0)


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 6))
def test_the_boxes_of_a_flipped_picture_are_the_flipped_boxes(seed, rows):
    corners = torch.rand(rows, 5, 2, 2, generator=chance(seed)).sort(2).values.flatten(2)
    boxes = torch.cat([corners, torch.ones(rows, 5, 1)], 2)
    move = MOVES["flip"](torch.zeros(rows, 1, 4, 4), True, chance(seed))
    flipped = move.planes(torch.arange(4.0).expand(rows, 1, 4, 4))[:, 0, 0, 0] == 3
    mirrored = boxes[..., [2, 1, 0, 3, 4]] * torch.tensor([-1, 1, -1, 1, 1.0])
    mirrored = mirrored + torch.tensor([1, 0, 1, 0, 0.0])
    wanted = torch.where(flipped[:, None, None], mirrored, boxes)
    torch.testing.assert_close(move.on_boxes(boxes), wanted)


@pytest.mark.parametrize("name", MOVES)
def test_masks_move_with_the_picture_and_classes_never_mix(name):
    masks = torch.randint(0, 5, (6, 16, 16), generator=chance(2)).to(torch.uint8)
    masks[masks == 4] = IGNORED
    planes = masks[:, None].float()
    move = MOVES[name](planes, AMOUNTS[name], chance(3))
    moved = move.on_mask(masks)
    assert moved.dtype == torch.uint8
    assert set(moved.unique().tolist()) <= {0, 1, 2, 3, IGNORED}
    if name in ("flip", "updown", "turn"):
        assert torch.equal(moved[:, None].float(), move.planes(planes))
    if name == "shift":
        inside = move.planes(torch.ones_like(planes)) == 1
        assert torch.equal(moved[:, None].float()[inside], move.planes(planes)[inside])
        assert (moved[:, None][~inside] == IGNORED).all()


def test_what_left_the_picture_is_no_box_any_more():
    right = torch.tensor([[[1.0, 0, -0.5], [0, 1, 0]]])  # the picture moves right by a quarter
    gone = torch.tensor([[[0.9, 0.1, 1.0, 0.4, 0.0], [0.5, 0.1, 1.0, 0.4, 0.0]]])
    said = followed(gone, right)
    assert said[0, 0].tolist() == [-1] * 5
    assert said[0, 1].tolist() == pytest.approx([0.75, 0.1, 1.0, 0.4, 0.0])


@settings(max_examples=30)
@given(seed=st.integers(0, 1000))
def test_a_clean_picture_moves_as_the_noisy_one(seed):
    x = torch.rand(3, 1, 8, 8, generator=chance(seed))
    changes = Augmentation(flip=True, updown=True, turn=True, shift=2, crop=0.3, rotation=20.0)
    said = augment(Samples(x, 2 * x), changes, chance(seed), 1, "picture")
    torch.testing.assert_close(said.targets, 2 * said.inputs)


def test_mixing_has_no_meaning_for_masks():
    masks = Samples(torch.rand(4, 1, 8, 8), torch.zeros(4, 8, 8, dtype=torch.uint8))
    with pytest.raises(ConfigError, match="have no meaning for mask"):
        Batches(masks, Recipe(augmentation=Augmentation(mixup=0.2)), 2, "mask")
    wide = Samples(torch.rand(4, 1, 8, 9), torch.zeros(4, 8, 9, dtype=torch.uint8))
    with pytest.raises(ConfigError, match="turns squares by a quarter"):
        Batches(wide, Recipe(augmentation=Augmentation(turn=True)), 2, "mask")


@given(
    height=st.integers(5, 12), width=st.integers(5, 12), side=st.integers(1, 12), seed=st.integers()
)
def test_a_patch_is_a_part_of_its_picture(height, width, side, seed):
    """Every pixel holds its own number, so a patch tells where it was cut."""
    canvas = torch.full((2, 1, 12, 12), -1.0)
    numbers = torch.arange(float(height * width)).view(height, width)
    canvas[0, 0, :height, :width], canvas[1] = numbers, torch.arange(144.0).view(12, 12)
    samples = Samples(canvas, canvas[:, 0], sizes=torch.tensor([[height, width], [12, 12]]))
    said = cut(samples, torch.tensor([0, 1, 0]), side, chance(seed % 2**31))
    assert said.inputs.shape == (3, 1, side, side)
    assert torch.equal(said.inputs[:, 0], said.targets)
    assert said.numbers.tolist() == [0, 1, 0]
    first = said.inputs[0, 0]
    top, left = divmod(int(first[0, 0]), width)
    assert torch.equal(first, canvas[0, 0, top : top + side, left : left + side])
    if side <= min(height, width):
        assert (first >= 0).all()


def test_patches_are_as_many_as_asked_and_a_function_of_the_step():
    x = torch.rand(5, 1, 20, 20)
    recipe = Recipe(batch=4, patch=8, patches=3)
    batches, again = (Batches(Samples(x, x[:, 0]), recipe, 1, "mask") for _ in range(2))
    assert batches.per_epoch == 15 // 4
    drawn = torch.cat([batches(step).numbers for step in range(3)])
    assert len(drawn) == 12
    assert torch.bincount(drawn, minlength=5).max() <= 3
    assert torch.equal(batches(2).inputs, again(2).inputs)
    assert not torch.equal(batches(1).inputs, batches(0).inputs)


def test_a_row_of_its_own_has_no_canvas():
    canvas = torch.arange(2 * 36.0).view(2, 1, 6, 6)
    sizes = torch.tensor([[4, 5], [6, 6]])
    masks = Samples(canvas, canvas[:, 0], sizes=sizes).own(0)
    assert torch.equal(masks.inputs, canvas[:1, :, :4, :5])
    assert torch.equal(masks.targets, canvas[:1, 0, :4, :5])
    boxes = Samples(canvas, torch.zeros(2, 3, 5), sizes=sizes).own(0)
    assert boxes.targets.shape == (1, 3, 5)
    asked = Samples(canvas, torch.empty(0, 6, 6), sizes=sizes).own(0)
    assert asked.inputs.shape == (1, 1, 4, 5)
    assert len(asked.targets) == 0
