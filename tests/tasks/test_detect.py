"""Detect: what metrics read, how good a picture's answer is, and what people are shown."""

import numpy as np
import pytest
import torch

from gradatim.core.errors import ConfigError
from gradatim.core.samples import Samples
from gradatim.core.signature import Boxes, Category, Image, Signature
from gradatim.ops.detection.outlines import ALARM, HIT, MISS, TRUTH
from gradatim.tasks.detect import TASK

LEFT, RIGHT = [0.0625, 0.125, 0.4375, 0.875], [0.5625, 0.125, 0.9375, 0.875]
NONE = [-1.0] * 6


def samples() -> Samples:
    """Two grey pictures: one with a box on either side, one with nothing."""
    targets = torch.tensor([[[*LEFT, 0.0], [*RIGHT, 1.0]], [[-1.0] * 5] * 2])
    return Samples(torch.full((2, 1, 64, 64), 100, dtype=torch.uint8), targets)


def answers() -> torch.Tensor:
    """One hit, one that is right but unsure, one of the wrong class; a false alarm."""
    return torch.tensor(
        [
            [[*LEFT, 0.9, 0.0], [*RIGHT, 0.8, 0.0], [*RIGHT, 0.4, 1.0]],
            [[*LEFT, 0.6, 1.0], NONE, NONE],
        ]
    )


def test_takes_boxes_alone():
    image = Image(channels=1, height=8, width=8)
    assert TASK.suits(Signature(input=image, output=Boxes(names=("cell",))))
    assert not TASK.suits(Signature(input=image, output=Category(names=("a", "b"))))


def test_scores_of_answers_worked_out_by_hand():
    reading = TASK.read(TASK.decode(answers()), samples())
    scores = {name: metric(*reading) for name, metric in TASK.metrics.items()}
    # Class 0: the hit comes first, AP 1. Class 1: the alarm of the other picture is surer, AP 1/2.
    assert scores["ap"] == scores["ap50"] == scores["ap75"] == pytest.approx(0.75)
    assert scores["ar"] == 1
    # Of the sure ones: one hit, two alarms, one miss.
    assert scores["f1"] == pytest.approx(2 / 5)
    assert TASK.quality(reading) == pytest.approx([1 / 2, 0])


def test_readings_can_be_taken_row_by_row():
    """What folds, bootstraps and slices do: rows of the reading are readings of the rows."""
    predictions, both = TASK.decode(answers()), samples()
    reading = TASK.read(predictions, both)
    for row in range(2):
        alone = TASK.read(predictions[row : row + 1], both.take([row]))
        assert all(np.array_equal(a[row : row + 1], b) for a, b in zip(reading, alone, strict=True))


def test_a_perfect_answer_scores_one():
    truth = samples().targets
    sure = torch.where(truth[..., 4:] >= 0, 1.0, -1.0)
    reading = TASK.read(
        TASK.decode(torch.cat([truth[..., :4], sure, truth[..., 4:]], 2)), samples()
    )
    assert {metric(*reading) for metric in TASK.metrics.values()} == {1.0}
    assert TASK.quality(reading).tolist() == [1, 1]


def test_a_detector_has_to_bring_its_loss():
    with pytest.raises(ConfigError, match="taught"):
        TASK.losses(answers(), samples().targets)


def colours(picture):
    found = {tuple(c) for c in picture.reshape(3, -1).T.tolist()}
    known = {"truth": TRUTH, "hit": HIT, "miss": MISS, "alarm": ALARM}
    return {name for name, line in known.items() if line.colour in found}


def test_pictures_show_hits_misses_and_alarms():
    first, second = samples().take([0]), samples().take([1])
    said = TASK.decode(answers())
    assert colours(TASK.picture(first, None)) == {"truth"}
    assert colours(TASK.picture(second, None)) == set()
    assert colours(TASK.picture(first, said[0])) == {"hit", "miss", "alarm"}
    assert colours(TASK.picture(second, said[1:])) == {"alarm"}
    picture = TASK.picture(first, said[0])
    assert picture.shape == (3, 64, 64)
    assert picture.dtype == np.uint8


def test_outlines_lie_where_the_box_is_and_differ_in_shape():
    first = samples().take([0])
    shown = TASK.picture(first, TASK.decode(torch.tensor([[[*LEFT, 0.9, 0.0]]]))[0])
    row = shown[:, 8]  # 0.125 of 63 pixels: the upper edge of both boxes
    hit = (HIT.colour == row.T).all(1)
    miss = (MISS.colour == row.T).all(1)
    assert hit[4:29].all()  # solid
    assert not hit[32:].any()
    assert 8 < miss[35:60].sum() < 20  # dashed
    assert not miss[:32].any()


def test_drawing_leaves_the_picture_alone():
    first = samples().take([0])
    TASK.picture(first, TASK.decode(answers())[0])
    assert (first.inputs == 100).all()
