"""How rows spread, a band a rung: nothing is lost, and no rung squashes the others."""

import numpy as np
import pytest

from gradatim.report.figures.spread import spread_figure, spread_range


@pytest.mark.parametrize("dots", [True, False])
def test_every_row_is_drawn(dots: bool) -> None:
    rng = np.random.default_rng(0)
    values = {"low": rng.normal(0, 1, 50), "high": rng.normal(3, 1, 50), "flat": np.full(9, 2.0)}
    figure = str(spread_figure(values, "nats", "high", dots=dots))
    if dots:
        assert figure.count("h0") == 109
    assert figure.count('class="bins"') == (0 if dots else 3)
    assert figure.count("chosen-band") == 1
    assert "nan" not in figure


def test_a_rung_far_behind_does_not_squash_the_others() -> None:
    rng = np.random.default_rng(0)
    values = {name: rng.normal(mean, 1, 200) for name, mean in [("a", 0), ("b", 1), ("c", 2)]}
    low, high = spread_range(values | {"bad": rng.normal(-1e6, 1, 200)})
    assert -4 < low < -2
    assert 4 < high < 6
    assert "nan" not in str(spread_figure(values | {"bad": np.full(3, -1e6)}, "nats", "c"))


def test_more_games_than_dots_are_thinned() -> None:
    values = {"only": np.arange(5000.0)}
    assert str(spread_figure(values, "return", "only", dots=True)).count("h0") == 600


def test_heaps_of_dots_are_as_high_as_they_have_rows() -> None:
    values = {"only": np.repeat([0.0, 1.0, 2.0], [10, 40, 1])}
    figure = str(spread_figure(values, "return", "only", dots=True))
    path = figure.split('class="swarm"')[0].rpartition('d="')[2]
    points = [mark.removesuffix("h0").split() for mark in path.split('"')[0].split("M")[1:]]
    heights = {x: 0.0 for x, _ in points}
    foot = max(float(y) for _, y in points)
    for x, y in points:
        heights[x] = max(heights[x], foot - float(y))
    low, high, single = heights.values()
    assert high == pytest.approx(32, abs=0.1)
    assert low == pytest.approx(32 * 9 / 39, abs=0.1)
    assert single == 0
