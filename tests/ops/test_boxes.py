"""Boxes against numbers worked out by hand, those that torchvision documents, and their laws."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.ops.detection.boxes import (
    area,
    centred,
    clip,
    cornered,
    giou,
    giou_of_pairs,
    iou,
    iou_of_pairs,
)
from gradatim.ops.detection.suppression import non_maximum_suppression

# torchvision's own tests of box_iou and generalized_box_iou: these boxes, these four decimals.
DOCUMENTED = torch.tensor(
    [[0, 0, 100, 100], [0, 0, 50, 50], [200, 200, 300, 300]], dtype=torch.float64
)
DOCUMENTED_IOU = [[1.0, 0.25, 0.0], [0.25, 1.0, 0.0], [0.0, 0.0, 1.0]]
DOCUMENTED_GIOU = [[1.0, 0.25, -0.7778], [0.25, 1.0, -0.8611], [-0.7778, -0.8611, 1.0]]


@st.composite
def boxes(draw, least=1, most=12):
    """Draw boxes in shares: corners on a grid, so that equal edges and empty boxes happen."""
    count = draw(st.integers(least, most))
    numbers = draw(st.lists(st.integers(0, 16), min_size=4 * count, max_size=4 * count))
    points = torch.tensor(numbers, dtype=torch.float64).reshape(count, 2, 2) / 16
    return points.sort(dim=1).values.reshape(count, 4)


def some(rows, seed=0):
    chance = torch.Generator().manual_seed(seed)
    points = torch.rand(rows, 2, 2, generator=chance, dtype=torch.float64)
    return points.sort(dim=1).values.reshape(rows, 4)


def test_overlaps_are_those_that_torchvision_documents():
    assert iou(DOCUMENTED, DOCUMENTED).tolist() == DOCUMENTED_IOU
    found = giou(DOCUMENTED, DOCUMENTED)
    torch.testing.assert_close(found, torch.tensor(DOCUMENTED_GIOU).double(), atol=5e-5, rtol=0)


@pytest.mark.parametrize(
    ("one", "other", "expected", "generalised"),
    [
        # 1 of 4 + 4 - 1; the hull is 3 x 3, two of its nine squares are in neither box.
        ((0, 0, 2, 2), (1, 1, 3, 3), 1 / 7, 1 / 7 - 2 / 9),
        # One in the other: the hull is the larger one.
        ((0, 0, 4, 4), (1, 1, 2, 3), 1 / 8, 1 / 8),
        # Side by side, an edge in common.
        ((0, 0, 1, 1), (1, 0, 2, 1), 0, 0),
        # Corner to corner, two squares away: hull 4 x 4, 2 of 16 covered.
        ((0, 0, 1, 1), (3, 3, 4, 4), 0, -14 / 16),
        # A line has no area, nor have two of them together.
        ((0, 0, 0, 2), (0, 0, 2, 2), 0, 0),
        ((0, 0, 0, 2), (0, 1, 0, 2), 0, 0),
    ],
)
def test_overlaps_worked_out_by_hand(one, other, expected, generalised):
    one, other = (torch.tensor(b, dtype=torch.float64) for b in (one, other))
    assert iou_of_pairs(one, other).item() == pytest.approx(expected, abs=1e-15)
    assert giou_of_pairs(one, other).item() == pytest.approx(generalised, abs=1e-15)


@given(boxes(), boxes())
def test_overlaps_are_symmetric_and_bounded(ours, theirs):
    """The slack of 1e-12 is for rounding of sums below 3."""
    plain, general = iou(ours, theirs), giou(ours, theirs)
    assert torch.equal(plain, iou(theirs, ours).T)
    torch.testing.assert_close(general, giou(theirs, ours).T, atol=1e-12, rtol=0)
    assert (plain >= 0).all()
    assert (plain <= 1 + 1e-12).all()
    assert (general >= -1).all()
    assert (general <= plain + 1e-12).all()


@given(boxes())
def test_a_box_with_area_covers_itself(some_boxes):
    own = iou_of_pairs(some_boxes, some_boxes)
    assert torch.equal(own, (area(some_boxes) > 0).double())


@given(boxes(), boxes(), st.sampled_from([0.25, 0.5, 2.0, 640.0]), st.sampled_from([1.0, 480.0]))
def test_overlaps_do_not_feel_stretched_axes(ours, theirs, wide, high):
    """Why shares of width and height are as good as pixels."""
    stretch = torch.tensor([wide, high, wide, high], dtype=torch.float64)
    for overlap in (iou, giou):
        stretched = overlap(ours * stretch, theirs * stretch)
        torch.testing.assert_close(stretched, overlap(ours, theirs), atol=1e-12, rtol=0)


@given(boxes())
def test_two_ways_to_write_a_box(some_boxes):
    torch.testing.assert_close(cornered(centred(some_boxes)), some_boxes, atol=1e-15, rtol=0)


@given(boxes())
def test_clipping_keeps_what_is_on_the_picture(some_boxes):
    moved = some_boxes * 2 - 0.5
    clipped = clip(moved)
    assert (clipped >= 0).all()
    assert (clipped <= 1).all()
    torch.testing.assert_close(
        area(clipped), area(moved) * _share_inside(moved), atol=1e-12, rtol=0
    )


def _share_inside(moved):
    whole = torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    first, last = torch.maximum(moved, whole)[:, :2], torch.minimum(moved, whole)[:, 2:]
    inside = (last - first).clamp_min(0).prod(1)
    return torch.where(area(moved) > 0, inside / area(moved), 0)


def test_gradients_of_overlaps():
    """Random boxes in general position: no two edges coincide, where the overlap has a kink."""
    ours, theirs = some(6), some(6, seed=1)
    for overlap in (giou_of_pairs, iou_of_pairs):
        assert torch.autograd.gradcheck(overlap, (ours.requires_grad_(), theirs.requires_grad_()))


def test_giou_of_boxes_apart_has_a_slope_towards_each_other():
    ours = torch.tensor([0.0, 0.0, 0.25, 0.25], requires_grad=True)
    giou_of_pairs(ours, torch.tensor([0.5, 0.0, 0.75, 0.25])).backward()
    assert ours.grad[2] > 0  # its right edge wants to go right


def test_no_box_has_no_slope_instead_of_nan():
    ours = torch.zeros(4, requires_grad=True)
    giou_of_pairs(ours, torch.zeros(4)).backward()
    assert ours.grad.isfinite().all()


def one_by_one(some_boxes, confidences, classes, threshold):
    """Suppress as the definition says, a box at a time."""
    kept = []
    for i in sorted(range(len(some_boxes)), key=lambda i: (-confidences[i], i)):
        rivals = [j for j in kept if classes[j] == classes[i]]
        if all(iou(some_boxes[i : i + 1], some_boxes[j : j + 1]) <= threshold for j in rivals):
            kept.append(i)
    return kept


@given(boxes(least=0, most=20), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.randoms())
def test_suppression_is_that_of_the_definition(some_boxes, threshold, chance):
    """Few levels of confidence, so that ties happen."""
    confidences = torch.tensor([chance.randint(0, 4) / 4 for _ in some_boxes])
    classes = torch.tensor([chance.randint(0, 1) for _ in some_boxes], dtype=torch.int64)
    kept = non_maximum_suppression(some_boxes, confidences, classes, threshold)
    assert kept.tolist() == one_by_one(some_boxes, confidences, classes, threshold)


def test_suppression_keeps_the_best_and_no_two_that_overlap():
    """More boxes than a block holds; none that went is without a better one over it."""
    some_boxes, confidences = some(3000), torch.rand(3000)
    classes = torch.arange(3000) % 3
    kept = non_maximum_suppression(some_boxes, confidences, classes, 0.4)
    assert kept[0] == confidences.argmax()
    assert (confidences[kept].diff() <= 0).all()
    over = iou(some_boxes, some_boxes) > 0.4
    over &= classes[:, None] == classes
    assert not over[kept][:, kept].triu(1).any()
    gone = torch.ones(3000, dtype=torch.bool).index_fill(0, kept, False)
    better = confidences[kept][:, None] >= confidences[gone]
    assert (over[kept][:, gone] & better).any(0).all()
    short = non_maximum_suppression(some_boxes, confidences, classes, 0.4, most=7)
    assert torch.equal(short, kept[:7])
