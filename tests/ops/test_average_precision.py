"""Scores of boxes against faster-coco-eval's, and against numbers worked out by hand."""

import numpy as np
import pytest

from gradatim.ops.detection.average_precision import (
    average_precision,
    average_recall,
    f1,
    f1_of_pictures,
    precision_at_recall,
    sweep,
)
from gradatim.ops.detection.box_matching import THRESHOLDS, matches, matches_of_pictures, unpacked
from gradatim.ops.detection.coco import coco_numbers

CLASSES = 4


def boxes_around(centres, chance):
    halves = chance.uniform(0.01, 0.1, centres.shape)
    return np.concatenate([centres - halves, centres + halves], axis=1)


def one_picture(chance, most=20, found=130):
    """Draw boxes, and finds near them or nowhere, with 20 levels of confidence, so with ties."""
    there, finds = np.full((most, 5), -1.0), np.full((found, 6), -1.0)
    count = chance.integers(0, most + 1)
    there[:count, :4] = boxes_around(chance.uniform(0.2, 0.8, (count, 2)), chance)
    there[:count, 4] = chance.integers(0, CLASSES, count)
    near = np.repeat(there[:count], chance.integers(0, 4, count), axis=0)
    moved = near[:, :4] + chance.normal(0, 0.005, (len(near), 4))
    alarms = boxes_around(chance.uniform(0.2, 0.8, (found - len(near) - 5, 2)), chance)
    total = len(near) + len(alarms)
    finds[:total, :4] = np.concatenate([moved, alarms])
    finds[:total, 4] = chance.integers(0, 20, total) / 20
    # A tenth of the finds has another class, and one class is nowhere.
    wrong = chance.random(total) < 0.1
    named = np.concatenate([near[:, 4], np.zeros(len(alarms))])
    finds[:total, 5] = np.where(wrong, chance.integers(0, CLASSES + 1, total), named)
    return finds.astype(np.float32), there.astype(np.float32)


def pictures(seed, rows=30):
    chance = np.random.default_rng(seed)
    found, there = zip(*(one_picture(chance) for _ in range(rows)), strict=True)
    return np.stack(found), np.stack(there)


def named(there):
    return there[..., 4].astype(np.int64)


@pytest.mark.parametrize("seed", range(6))
def test_scores_are_those_of_faster_coco_eval(seed):
    """Several classes, ties, pictures without boxes, more than 100 finds of a class."""
    pytest.importorskip("faster_coco_eval")
    found, there = pictures(seed)
    table, classes = matches_of_pictures(found, there), named(there)
    theirs = coco_numbers(found, there)
    ours = {
        "ap": average_precision(table, classes),
        "ap50": average_precision(table, classes, 0.5),
        "ap75": average_precision(table, classes, 0.75),
        "ar": average_recall(table, classes),
    }
    assert ours == pytest.approx(theirs, abs=1e-6)
    assert 0.05 < ours["ap"] < ours["ap50"] < 0.95  # there was something to tell apart


@pytest.mark.parametrize("seed", range(3))
def test_any_rows_are_scored_as_if_they_were_all(seed):
    """A bootstrap draws rows with replacement: faster-coco-eval sees them as pictures."""
    pytest.importorskip("faster_coco_eval")
    found, there = pictures(seed, rows=12)
    rows = np.random.default_rng(seed).integers(0, 12, 12)
    table, classes = matches_of_pictures(found, there), named(there)
    expected = coco_numbers(found[rows], there[rows])["ap"]
    assert average_precision(table[rows], classes[rows]) == pytest.approx(expected, abs=1e-6)


def test_each_find_takes_the_box_it_overlaps_most():
    """The surer find takes the box that both want; the other is left with the second best."""
    there = np.array([[0, 0, 1, 1, 0], [0, 0, 1, 0.8, 0]], dtype=np.float32)
    found = np.array([[0, 0, 1, 0.9, 0.5, 0], [0, 0, 1, 0.95, 0.9, 0]], dtype=np.float32)
    hits = unpacked(matches(found, there)[:, 2])
    # The second overlaps the whole by 0.95 (up to float32's rounding) and the rest by 0.8 / 0.95.
    assert hits[1].sum() >= 9
    # The first overlaps what is left by 0.8 / 0.9 = 0.889: enough for 0.5 to 0.85.
    assert hits[0].tolist() == [True] * 8 + [False] * 2


def test_a_box_is_found_once():
    box = [0.0, 0.0, 0.5, 0.5]
    found = np.array([[*box, 0.5, 0.0], [*box, 0.75, 0.0], [*box, 1.0, 1.0]])
    table = matches(found, np.array([[*box, 0.0]]))
    assert table[:, 2].tolist() == [0, 1023, 0]


def test_a_curve_worked_out_by_hand():
    """Hit, false alarm, hit of three boxes: precision 1, 1/2, 2/3 at recall 1/3, 1/3, 2/3."""
    table = np.array([[[0.0, 0.9, 1.0], [0.0, 0.8, 0.0], [0.0, 0.7, 1.0]]])
    classes = np.array([[0, 0, 0]])
    curve = precision_at_recall(table, classes)[0][0, :, 0]  # at an overlap of 0.5
    assert curve[[0, 33, 34, 66, 67, 100]] == pytest.approx([1, 1, 2 / 3, 2 / 3, 0, 0])
    expected = (34 * 1 + 33 * 2 / 3) / 101
    assert average_precision(table, classes, 0.5) == pytest.approx(expected)
    assert average_precision(table, classes) == pytest.approx(expected / 10)
    assert average_recall(table, classes) == pytest.approx(2 / 3 / 10)


def test_sweep_and_f1_worked_out_by_hand():
    """Of 3 boxes: confidences 0.9 hit; 0.5 hit and alarm together; 0.4 hit."""
    table = np.array(
        [
            [[0.0, 0.5, 1.0], [0.0, 0.4, 1.0]],
            [[1.0, 0.9, 3.0], [0.0, 0.5, 0.0]],
        ]
    )
    classes = np.array([[0, 0], [1, -1]])
    swept = sweep(table, classes)
    assert swept["confidence"].tolist() == [0.9, 0.5, 0.4]
    assert swept["precision"] == pytest.approx([1, 2 / 3, 3 / 4])
    assert swept["recall"] == pytest.approx([1 / 3, 2 / 3, 1])
    assert swept["f1"] == pytest.approx([1 / 2, 2 / 3, 6 / 7])
    assert f1(table, classes) == pytest.approx(2 / 3)
    assert f1_of_pictures(table, classes) == pytest.approx([2 / 3, 2 / 3])


def test_nothing_there_and_nothing_found():
    none, empty = np.full((2, 3), -1), np.full((2, 4, 3), -1.0)
    assert np.isnan(average_precision(empty, none))
    assert np.isnan(average_recall(empty, none))
    assert np.isnan(f1(empty, none))
    assert f1_of_pictures(empty, none).tolist() == [1, 1]
    assert len(sweep(empty, none)["f1"]) == 0
    there = np.array([[0, -1, -1], [-1, -1, -1]])
    assert average_precision(empty, there) == 0
    assert f1_of_pictures(empty, there).tolist() == [0, 1]


def test_precision_never_rises_with_recall():
    found, there = pictures(9)
    precisions, recalls = precision_at_recall(matches_of_pictures(found, there), named(there))
    assert precisions.shape == (len(THRESHOLDS), 101, CLASSES)
    assert (np.diff(precisions, axis=1) <= 0).all()
    assert (np.diff(recalls, axis=0) <= 0).all()  # harder thresholds find no more
