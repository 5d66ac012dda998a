import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gradatim.report.figures.cost import pareto
from gradatim.report.figures.labels import place_labels
from gradatim.report.figures.scatter import predicted_figure
from gradatim.report.pictures import SIDE, png, shrunk
from gradatim.report.svg import Scale, tag

PLACE = st.tuples(st.floats(0, 500), st.floats(0, 350))


@given(st.lists(PLACE, max_size=14))
def test_labels_lie_on_nothing(points: list[tuple[float, float]]) -> None:
    boxes = place_labels(points, ["boosted_trees"] * len(points), (0, 0, 500, 350))
    placed = [box for box in boxes if box]
    for k, (left, top, right, bottom) in enumerate(placed):
        assert left >= 0
        assert top >= 0
        assert right <= 500
        assert bottom <= 350
        for other in placed[:k]:
            assert left >= other[2] or other[0] >= right or top >= other[3] or other[1] >= bottom


def test_every_point_of_a_usual_ladder_gets_its_label() -> None:
    crowd = [(250 + 9 * k, 170 + 5 * (k % 3)) for k in range(14)]
    assert all(place_labels(crowd, ["resnet_small"] * 14, (0, 0, 500, 350)))


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9)), min_size=1))
def test_pareto_front_is_what_nothing_beats(rungs: list[tuple[float, float]]) -> None:
    costs, gains = [cost for cost, _ in rungs], [gain for _, gain in rungs]
    front = pareto(costs, gains)
    for k, (cost, gain) in enumerate(rungs):
        beaten = any(
            c <= cost and g >= gain and (c < cost or g > gain)
            for c, g in zip(costs, gains, strict=True)
        )
        twin = any(rungs[j] == (cost, gain) for j in front)
        assert (k in front or twin) == (not beaten)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 7), (1, 1, 1)])
def test_png_is_read_back(shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    read = np.asarray(Image.open(io.BytesIO(png(pixels))))
    assert np.array_equal(read.reshape(shape[1], shape[2], shape[0]), pixels.transpose(1, 2, 0))


@pytest.mark.parametrize("size", [48, 49, 224, 1000])
def test_large_pictures_keep_their_mean(size: int) -> None:
    pixels = np.full((3, size, size // 2), 77, dtype=np.uint8)
    small = shrunk(pixels)
    assert max(small.shape) <= SIDE
    assert (small == 77).all()


def test_a_scale_never_leaves_its_figure() -> None:
    scale = Scale(1e-3, 1e3, 50, 500, log=True)
    assert scale(1e-9) >= 40
    assert scale(1e9) <= 510
    assert all(50 <= scale(tick) <= 500 for tick in scale.ticks())
    assert Scale(2, 2, 0, 10)(2) == 5


def test_many_points_become_a_density() -> None:
    values = np.random.default_rng(0).normal(size=100_000)
    assert len(predicted_figure(values, values + 1)) < 100_000


def test_text_and_attributes_are_escaped_and_cut() -> None:
    drawn = tag("text", "</svg><script>" + "x" * 999, class_='"><b>')
    assert "<script>" not in drawn
    assert '"><b>' not in drawn
    assert len(drawn) < 400
