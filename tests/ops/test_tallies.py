"""Scores from sums against the scores of all rows at once."""

import numpy as np
import pytest
from scipy.stats import t as student

from gradatim.ops.metrics import CLASSIFICATION, REGRESSION
from gradatim.ops.tallies import ClassTally, QuantityTally, jackknife_interval


def test_classes_in_pieces_score_as_in_one():
    chance = np.random.default_rng(0)
    said = chance.dirichlet(np.ones(3), 500)
    right = chance.integers(0, 3, 500)
    parts = [ClassTally.of(said[rows], right[rows]) for rows in np.split(np.arange(500), [1, 200])]
    scores = (parts[0] + parts[1] + parts[2]).scores()
    for name, metric in CLASSIFICATION.items():
        if name == "auc":
            assert np.isnan(scores[name])
        else:
            assert scores[name] == pytest.approx(metric(said, right), rel=1e-12)


def test_quantities_score_as_in_one():
    chance = np.random.default_rng(0)
    said, right = chance.normal(size=300), chance.normal(size=300)
    parts = [
        QuantityTally(float(len(r)), ((s - r) ** 2).sum(), r.sum(), (r**2).sum())
        for s, r in ((said[:100], right[:100]), (said[100:], right[100:]))
    ]
    scores = (parts[0] + parts[1]).scores()
    assert scores["rmse"] == pytest.approx(REGRESSION["rmse"](said, right), rel=1e-12)
    assert scores["r2"] == pytest.approx(REGRESSION["r2"](said, right), rel=1e-12)
    assert np.isnan(scores["mae"])


def test_targets_that_do_not_vary_have_no_r2():
    assert np.isnan(QuantityTally(4.0, 1.0, 8.0, 16.0).scores()["r2"])


def test_the_jackknife_of_a_mean_is_the_interval_of_its_blocks():
    """For blocks of one size the mean without a block gives the usual t interval."""
    blocks = np.random.default_rng(0).normal(size=20)
    tallies = [QuantityTally(1.0, 0.0, value, 0.0) for value in blocks]
    low, high = jackknife_interval(tallies, lambda tally: tally.total / tally.rows)
    half = student.isf(0.025, 19) * blocks.std(ddof=1) / 20**0.5
    assert (low, high) == pytest.approx((blocks.mean() - half, blocks.mean() + half))
