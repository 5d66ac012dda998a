"""The job of masks: what its loss, its scores and its pictures say."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import LossChoice
from gradatim.core.samples import Samples
from gradatim.core.signature import Category, Image, Mask, Signature
from gradatim.ops.segmentation.overlay import ERROR, PALETTE
from gradatim.tasks import TASKS

SIGNATURE = Signature(
    input=Image(channels=1, height=6, width=8, fit="pad"), output=Mask(names=("a", "b", "c"))
)
TASK = TASKS["segment"].of(SIGNATURE)
METRICS = TASK.metrics


def case(seed: int = 0, rows: int = 5) -> tuple[np.ndarray, Samples]:
    """Answers and masks of pictures whose sizes differ."""
    chance = np.random.default_rng(seed)
    masks = chance.integers(0, 3, (rows, 6, 8)).astype(np.uint8)
    masks[chance.random(masks.shape) < 0.2] = 255
    sizes = np.stack([chance.integers(1, 7, rows), chance.integers(1, 9, rows)], 1)
    inputs = torch.zeros(rows, 1, 6, 8, dtype=torch.uint8)
    samples = Samples(inputs, torch.from_numpy(masks), sizes=torch.from_numpy(sizes))
    return chance.integers(0, 3, masks.shape).astype(np.uint8), samples


def test_takes_masks_alone():
    category = Signature(input=SIGNATURE.input, output=Category(names=("a", "b")))
    assert TASK.suits(SIGNATURE)
    assert not TASK.suits(category)
    assert TASK.default_metric(case()[1]) in METRICS


def test_the_loss_is_cross_entropy_and_what_dice_lacks():
    z = torch.tensor([[[[2.0, -1.0]], [[0.0, 1.0]]]], dtype=torch.float64)
    t = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    p = z.softmax(1)[0, :, 0]
    lacks = [1 - (2 * q[k] + 1) / ((q**2).sum() + 2) for k, q in enumerate(p)]
    expected = F.cross_entropy(z, t.long()) + sum(lacks) / 2
    assert TASK.losses(z, t).item() == pytest.approx(expected.item(), rel=1e-12)


def test_a_mask_that_is_ignored_altogether_costs_nothing():
    z = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    t = torch.zeros(2, 4, 4, dtype=torch.uint8)
    t[1] = 255
    said = TASK.losses(z, t)
    said.sum().backward()
    assert said[1].item() == 0
    assert z.grad is not None
    assert z.grad.isfinite().all()
    assert (z.grad[1] == 0).all()


def test_answers_are_the_classes_with_the_largest_logits():
    z = torch.randn(2, 3, 4, 5)
    said = TASK.decode(z)
    assert said.dtype == np.uint8
    np.testing.assert_array_equal(said, z.argmax(1).numpy())


def test_what_metrics_read_counts_the_pixels_within_each_picture():
    said, samples = case()
    tables, pixels = TASK.read(said, samples)
    assert tables.shape == (5, 9)
    for row, (height, width) in enumerate(samples.sizes.tolist()):
        known = samples.targets[row, :height, :width] != 255
        assert pixels[row] == known.sum() == tables[row].sum()


def test_beyond_a_picture_nothing_counts():
    said, samples = case()
    other = said.copy()
    for row, (height, width) in enumerate(samples.sizes.tolist()):
        other[row, height:] = 2 - other[row, height:]
        other[row, :, width:] = 2 - other[row, :, width:]
    assert not np.array_equal(other, said)
    np.testing.assert_array_equal(TASK.read(other, samples)[0], TASK.read(said, samples)[0])


@given(st.integers(0, 2**32 - 1))
def test_scores_are_of_all_pixels_whatever_the_order_of_the_rows(seed):
    """One confusion matrix over the split, not the mean of those of pictures."""
    said, samples = case(seed)
    reading = TASK.read(said, samples)
    order = np.random.default_rng(seed).permutation(len(samples))
    truth, answer = [], []
    for row, (height, width) in enumerate(samples.sizes.tolist()):
        mask = samples.targets[row, :height, :width].numpy()
        truth.append(mask[mask != 255])
        answer.append(said[row, :height, :width][mask != 255])
    t, y = np.concatenate(truth), np.concatenate(answer)
    unions = [((t == k) | (y == k)).sum() for k in range(3)]
    shares = [((t == k) & (y == k)).sum() / n for k, n in enumerate(unions) if n]
    expected = np.mean(shares) if shares else np.nan
    for rows in (slice(None), order):
        score = METRICS["miou"](reading[0][rows], reading[1][rows])
        np.testing.assert_allclose(score, expected)
    right = np.mean(t == y) if len(t) else np.nan
    np.testing.assert_allclose(METRICS["pixel_accuracy"](*reading), right)


def test_truth_scores_one_and_the_quality_of_rows_is_their_own_score():
    said, samples = case()
    truth = np.where(samples.targets.numpy() == 255, 0, samples.targets.numpy())
    perfect = TASK.read(truth, samples)
    assert [METRICS[name](*perfect) for name in METRICS] == [1.0, 1.0, 1.0]
    reading = TASK.read(said, samples)
    quality = TASK.quality(reading)
    for row in range(len(samples)):
        one = METRICS["miou"](reading[0][row : row + 1], reading[1][row : row + 1])
        assert quality[row] == (1.0 if np.isnan(one) else pytest.approx(one))


def test_without_a_signature_as_many_classes_as_are_seen():
    said, samples = case()
    tables, _ = TASKS["segment"].read(said, samples)
    np.testing.assert_array_equal(tables, TASK.read(said, samples)[0])


def test_another_loss_is_refused():
    with pytest.raises(ConfigError, match="one loss"):
        TASK.with_loss(LossChoice(name="hinge"), torch.zeros(1))


def test_pictures_show_classes_borders_errors_and_what_is_ignored():
    inputs = torch.full((1, 1, 6, 8), 100, dtype=torch.uint8)
    mask = torch.zeros(1, 6, 8, dtype=torch.uint8)
    mask[:, :, 4:] = 1
    mask[:, 4] = 255
    sample = Samples(inputs, mask, sizes=torch.tensor([[5, 8]]))
    truth = TASK.picture(sample, None)
    assert truth.shape == (3, 5, 8)
    assert truth.dtype == np.uint8
    np.testing.assert_array_equal(truth[:, 0, 4], PALETTE[0])
    np.testing.assert_array_equal(truth[:, 0, 0], 100)
    tint = np.round(0.7 * 100 + 0.3 * np.array(PALETTE[0]))
    np.testing.assert_array_equal(truth[:, 0, 7], tint)
    np.testing.assert_array_equal(truth[:, 4, 0], 50)
    wrong = mask[0].numpy().copy()
    wrong[0, 0] = 2
    said = TASK.picture(sample, np.where(wrong == 255, 0, wrong)[None])
    assert said.shape == truth.shape
    red = 0.75 * np.array(ERROR) + 0.25 * np.array(PALETTE[1])
    np.testing.assert_allclose(said[:, 0, 0], red, atol=1)
    np.testing.assert_array_equal(said[:, 0, 6], tint)


def test_a_picture_without_a_mask_shows_the_answer_alone():
    """As in predicting: there is no truth to mark errors with."""
    sample = Samples(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), torch.zeros(0, 4, 4))
    assert TASK.picture(sample, None) is None
    answer = np.ones((4, 4), np.uint8)
    assert TASK.picture(sample, answer).shape == (3, 4, 4)
