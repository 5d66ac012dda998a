"""Two models on the same rows."""

from pathlib import Path

import pytest

from gradatim.core.errors import ConfigError
from gradatim.session.evaluate import evaluate
from gradatim.session.fit import fit


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("runs")
    asked = {"majority": "iris", "logistic": "iris", "linear": "diabetes"}
    return {
        rung: fit(data, rung=rung, out=root / rung, metric=None).folder
        for rung, data in asked.items()
    }


def test_the_difference_is_that_of_the_scores_and_its_interval_pairs_rows(runs):
    facts = evaluate(runs["logistic"], against=runs["majority"])
    rival = facts["against"]
    assert rival["rung"] == "majority"
    assert rival["difference"] == pytest.approx(facts["score"] - rival["score"])
    assert 0 < rival["low"] <= rival["difference"] <= rival["high"]
    back = evaluate(runs["majority"], "iris", against=runs["logistic"])["against"]
    assert back["high"] < 0


def test_a_model_is_no_better_than_itself(runs):
    rival = evaluate(runs["logistic"], "iris", against=runs["logistic"])["against"]
    assert (rival["difference"], rival["low"], rival["high"]) == (0, 0, 0)


def test_lower_errors_are_better(runs, tmp_path):
    mean = fit("diabetes", rung="mean", out=tmp_path / "mean").folder
    rival = evaluate(runs["linear"], "diabetes", against=mean)["against"]
    assert rival["difference"] > rival["low"] > 0


def test_models_of_other_data_are_not_compared(runs):
    with pytest.raises(ConfigError, match="learnt from other columns"):
        evaluate(runs["logistic"], "iris", against=runs["linear"])


def test_a_model_that_may_have_seen_the_sealed_rows_is_refused(runs, tmp_path):
    other = fit("iris", rung="majority", seed=1, out=tmp_path / "other").folder
    with pytest.raises(ConfigError, match="their splits differ"):
        evaluate(runs["logistic"], against=other)
