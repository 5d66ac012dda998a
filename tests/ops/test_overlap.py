"""Scores and losses of masks against counting by hand, scikit-learn, torch and their own laws."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score
from torch.autograd import gradcheck
from torch.nn import functional as F

from gradatim.ops.segmentation.overlap import (
    dice,
    intersection_over_union,
    mean_defined,
    pixel_confusion,
    pixel_cross_entropy,
    soft_dice,
)


def masks(seed: int, rows: int = 3, classes: int = 3, side: int = 7) -> tuple[np.ndarray, ...]:
    chance = np.random.default_rng(seed)
    shape = (rows, side, side + 2)
    truth = chance.integers(0, classes, shape).astype(np.uint8)
    truth[chance.random(shape) < 0.1] = 255
    return chance.integers(0, classes, shape).astype(np.uint8), truth


def logits(rows: int = 2, classes: int = 3, side: int = 4) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randn(rows, classes, side, side + 1, generator=chance, dtype=torch.float64)


def targets(rows: int = 2, classes: int = 3, side: int = 4) -> torch.Tensor:
    chance = torch.Generator().manual_seed(1)
    shape = (rows, side, side + 1)
    drawn = torch.randint(classes, shape, generator=chance, dtype=torch.uint8)
    return drawn.masked_fill(torch.rand(shape, generator=chance) < 0.2, 255)


def test_counts_are_scikit_learns_without_the_ignored():
    said, truth = masks(0)
    known = truth != 255
    expected = confusion_matrix(truth[known], said[known])
    np.testing.assert_array_equal(pixel_confusion(said, truth, 3), expected)


def test_scores_of_classes_are_scikit_learns():
    said, truth = masks(1)
    table, known = pixel_confusion(said, truth, 3), truth != 255
    y, t = said[known], truth[known]
    np.testing.assert_allclose(intersection_over_union(table), jaccard_score(t, y, average=None))
    np.testing.assert_allclose(dice(table), f1_score(t, y, average=None))


def test_by_hand_with_a_class_that_is_nowhere():
    """Truth 0 0 1, answer 0 1 1: of class 0 one of two, of class 1 one of two; 2 is left out."""
    table = pixel_confusion(np.array([[0, 1, 1]]), np.array([[0, 0, 1]]), 3)
    np.testing.assert_allclose(intersection_over_union(table), [1 / 2, 1 / 2, np.nan])
    np.testing.assert_allclose(dice(table), [2 / 3, 2 / 3, np.nan])
    assert mean_defined(intersection_over_union(table)) == pytest.approx(1 / 2)


def test_a_class_that_is_answered_but_not_there_counts_as_zero():
    table = pixel_confusion(np.array([[0, 2]]), np.array([[0, 0]]), 3)
    assert mean_defined(intersection_over_union(table)) == pytest.approx(1 / 4)


def test_of_ignored_pixels_alone_there_is_no_score():
    table = pixel_confusion(np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8), 2)
    assert table.sum() == 0
    assert np.isnan(mean_defined(dice(table)))


def test_masks_of_other_shapes_and_unknown_classes_are_refused():
    with pytest.raises(ValueError, match="do not overlap"):
        pixel_confusion(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), 2)
    with pytest.raises(ValueError, match="class"):
        pixel_confusion(np.zeros((1, 1), np.uint8), np.full((1, 1), 7, np.uint8), 2)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_cutting_masks_into_parts_changes_nothing(seed, cut):
    said, truth = masks(seed)
    whole = pixel_confusion(said, truth, 3)
    by_row = sum(pixel_confusion(a, b, 3) for a, b in zip(said, truth, strict=True))
    halves = [(said[:, :cut], truth[:, :cut]), (said[:, cut:], truth[:, cut:])]
    np.testing.assert_array_equal(by_row, whole)
    np.testing.assert_array_equal(sum(pixel_confusion(a, b, 3) for a, b in halves), whole)


@given(st.integers(0, 2**32 - 1))
def test_dice_and_union_are_one_score_in_two_forms(seed):
    table = pixel_confusion(*masks(seed), 3)
    union = intersection_over_union(table)
    np.testing.assert_allclose(dice(table), 2 * union / (1 + union))
    np.testing.assert_allclose(intersection_over_union(table.T), union)


def test_cross_entropy_is_torchs_by_row():
    z, t = logits(), targets()
    said = pixel_cross_entropy(z.log_softmax(1), t)
    for row in range(len(z)):
        one = F.cross_entropy(z[row : row + 1], t[row : row + 1].long(), ignore_index=255)
        torch.testing.assert_close(said[row], one)


def test_soft_dice_by_hand():
    """Of class 0: p = (.8, .4), g = (1, 0); of class 1: p = (.2, .6), g = (0, 1); s = 1."""
    p = torch.tensor([[[[0.8, 0.4, 0.5]], [[0.2, 0.6, 0.5]]]], dtype=torch.float64)
    t = torch.tensor([[[0, 1, 255]]], dtype=torch.uint8)
    first = 1 - (2 * 0.8 + 1) / (0.8**2 + 0.4**2 + 1 + 1)
    second = 1 - (2 * 0.6 + 1) / (0.2**2 + 0.6**2 + 1 + 1)
    assert soft_dice(p, t).item() == pytest.approx((first + second) / 2, rel=1e-12)


def test_of_sure_answers_soft_dice_is_what_dice_lacks():
    """Without smoothing to speak of; sums of ones are exact."""
    said, truth = (np.minimum(mask, 254) for mask in masks(3))
    truth = np.where(truth == 254, 0, truth)
    p = F.one_hot(torch.from_numpy(said).long(), 3).movedim(3, 1).double()
    lacks = soft_dice(p, torch.from_numpy(truth), smoothing=1e-12)
    for row in range(len(said)):
        table = pixel_confusion(said[row], truth[row], 3)
        assert lacks[row].item() == pytest.approx(1 - mean_defined(dice(table)), abs=1e-9)


@pytest.mark.parametrize("loss", [soft_dice, pixel_cross_entropy])
def test_ignored_pixels_teach_nothing(loss):
    z, t = logits().requires_grad_(), targets()
    value = z.softmax(1) if loss is soft_dice else z.log_softmax(1)
    loss(value, t).sum().backward()
    ignored = (t == 255)[:, None].expand_as(z)
    assert ignored.any()
    assert (z.grad[ignored] == 0).all()
    assert (z.grad[~ignored] != 0).all()


@pytest.mark.parametrize("loss", [soft_dice, pixel_cross_entropy])
def test_a_row_of_ignored_pixels_costs_nothing_and_has_no_nan_in_its_slope(loss):
    z, t = logits().requires_grad_(), targets()
    t[0] = 255
    said = loss(z.softmax(1) if loss is soft_dice else z.log_softmax(1), t)
    said.sum().backward()
    assert said[0].item() == 0
    assert said[1].item() > 0
    assert (z.grad[0] == 0).all()


def test_slopes():
    t = targets()
    z = logits().requires_grad_()
    assert gradcheck(lambda x: pixel_cross_entropy(x.log_softmax(1), t), (z,))
    assert gradcheck(lambda x: soft_dice(x.softmax(1), t), (z,))
