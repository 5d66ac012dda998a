"""The interquartile mean against SciPy's trimmed mean."""

import numpy as np
import pytest
from scipy.stats import trim_mean

from gradatim.ops.play.interquartile import interquartile_mean, stratified_interval


@pytest.mark.parametrize("count", [1, 3, 4, 10, 101])
def test_is_the_mean_trimmed_by_a_quarter_at_either_end(count):
    values = np.random.default_rng(count).normal(size=count)
    assert interquartile_mean(values) == pytest.approx(trim_mean(values, 0.25))


def test_a_few_wild_games_do_not_move_it():
    calm = np.ones(100)
    wild = np.concatenate([np.ones(90), np.full(10, 1e6)])
    assert interquartile_mean(wild) == interquartile_mean(calm)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Of 100 samples of three runs 95 hold 0 on average; 87 or fewer happen once in 2000."""
    chance, hits = np.random.default_rng(0), 0
    for seed in range(100):
        runs = [chance.normal(size=60) for _ in range(3)]
        low, high = stratified_interval(runs, seed, draws=300)
        hits += low <= 0 <= high
    assert hits >= 87


def test_runs_are_strata():
    """Two runs that disagree make no wide interval: each is there in every draw."""
    low, high = stratified_interval([np.zeros(50), np.ones(50)])
    assert low == high == 0.5
