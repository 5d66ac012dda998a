"""The numbers of the leaderboard against formulas that are written out here."""

from itertools import pairwise
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student

from gradatim.compare.leaderboard import collect
from gradatim.core.metric import Metric
from gradatim.data.splits import Fold, Partition
from gradatim.models import RUNGS
from gradatim.ops.metrics import CLASSIFICATION, REGRESSION
from gradatim.runs.files import finish, write_json

ACCURACY = Metric("accuracy", "higher", True, lambda p, t: 0.0)
ERROR = Metric("rmse", "lower", False, lambda p, t: 0.0)
GAIN = Metric("rmse", "higher", False, lambda p, t: 0.0)

# Uneven folds of 50 training rows: 13, 13, 12, 12 to check on.
SIZES = (13, 13, 12, 12)
RATIO = np.mean([n / (50 - n) for n in SIZES])
SCORES = {
    "majority": (0.50, 0.54, 0.50, 0.58),
    "linear": (0.80, 0.85, 0.75, 0.83),
    "svm": (0.90, 0.92, 0.83, 0.92),
    "mlp": (0.89, 0.93, 0.84, 0.90),
}
COSTS = {"parameters": 5, "multiply_adds": 4, "bytes": 40}
COSTS |= {"predict_seconds_1": 0.1, "predict_seconds_256": 0.2}


def partition() -> Partition:
    rows, ends = np.arange(50), np.cumsum(SIZES)
    checks = [rows[end - size : end] for size, end in zip(SIZES, ends, strict=True)]
    folds = [Fold(0, i, np.setdiff1d(rows, check), check) for i, check in enumerate(checks)]
    return Partition(rows, np.arange(50, 60), tuple(folds))


def keep(folder: Path, rung: str, fold: int, score: float | None, **changes: object) -> None:
    place = folder / "fits" / rung / f"0-{fold}"
    result = {"rung": rung, "repeat": 0, "fold": fold, "fit_seconds": 1.0 + fold, "note": ""}
    result |= {"scores": {"accuracy": score, "rmse": score, "auc": None}}
    write_json(place / "result.json", result | ({"costs": COSTS} if fold == 0 else {}) | changes)
    finish(place, ["result.json"])


def board(folder: Path, metric: Metric = ACCURACY, excused=None, names=tuple(SCORES)):
    rungs = [RUNGS[name]() for name in names]
    return collect(folder, rungs, partition(), metric, excused or {})


@pytest.fixture
def folder(tmp_path):
    for rung, scores in SCORES.items():
        for fold, score in enumerate(scores):
            keep(tmp_path, rung, fold, score)
    return tmp_path


def rows_of(ladder) -> dict[str, dict]:
    return {row["name"]: row for row in ladder.rows}


def test_scores_and_intervals_are_those_of_nadeau_and_bengio(folder):
    for name, row in rows_of(board(folder)).items():
        scores = np.array(SCORES[name])
        half = student.ppf(0.975, 3) * sqrt((1 / 4 + RATIO) * scores.var(ddof=1))
        assert row["score"] == pytest.approx(scores.mean())
        assert row["low"] == pytest.approx(scores.mean() - half)
        assert row["high"] == pytest.approx(min(1, scores.mean() + half))
        assert row["fold_scores"] == list(scores)
        assert row["fit_seconds"] == 2.5
        assert row["parameters"] == 5
        assert row["scores"]["auc"] is None


def paired(a: str, b: str, rope: float = 0.01) -> dict[str, float]:
    d = np.array(SCORES[a]) - np.array(SCORES[b])
    error = sqrt((1 / 4 + RATIO) * d.var(ddof=1))
    t = d.mean() / error
    half = student.ppf(0.975, 3) * error
    return {
        "difference": d.mean(),
        "low": d.mean() - half,
        "high": d.mean() + half,
        "p": 2 * student.sf(abs(t), 3),
        "worse": student.cdf((-rope - d.mean()) / error, 3),
        "better": student.sf((rope - d.mean()) / error, 3),
    }


def test_paired_differences_to_the_rung_below_and_to_the_best(folder):
    rows = rows_of(board(folder))
    names = list(SCORES)
    assert rows["majority"]["below"] is None
    assert rows["svm"]["best"] is None
    for below, name in pairwise(names):
        assert rows[name]["below"]["rung"] == below
        for key, value in paired(name, below).items():
            assert rows[name]["below"][key] == pytest.approx(value), (name, key)
    for name in ("majority", "linear", "mlp"):
        assert rows[name]["best"]["rung"] == "svm"
        for key, value in paired(name, "svm").items():
            assert rows[name]["best"][key] == pytest.approx(value), (name, key)


def test_p_values_are_holms_over_the_ladder(folder):
    rows = rows_of(board(folder))
    for key, names in (
        ("below", ["linear", "svm", "mlp"]),
        ("best", ["majority", "linear", "mlp"]),
    ):
        ps = sorted((rows[name][key]["p"], name) for name in names)
        largest = 0.0
        for place, (p, name) in enumerate(ps):
            largest = max(largest, min(1.0, (len(ps) - place) * p))
            assert rows[name][key]["p_holm"] == pytest.approx(largest)


def test_the_rope_of_a_score_that_begins_near_zero_is_a_hundredth_of_the_best(tmp_path):
    for name, score in {"mean": 0.4, "ridge": 30.0}.items():
        for fold in range(4):
            keep(tmp_path, name, fold, score)
    ladder = board(tmp_path, GAIN, names=("mean", "ridge"))
    assert ladder.rope == pytest.approx(0.3)


def test_the_rope_is_a_hundredth_or_a_hundredth_of_the_simplest_error(folder, tmp_path):
    assert board(folder).rope == 0.01
    errors = {"mean": 20.0, "ridge": 10.0}
    for name, error in errors.items():
        for fold in range(4):
            keep(tmp_path / "errors", name, fold, error + fold / 10)
    ladder = board(tmp_path / "errors", ERROR, names=tuple(errors))
    assert ladder.rope == pytest.approx(0.2015)
    row = rows_of(ladder)["ridge"]
    assert row["below"]["difference"] == pytest.approx(10.0), "less error is better"
    assert ladder.verdict.rung == "ridge"
    assert row["high"] > 1, "an error is not cut to 1"


def test_a_ladder_has_the_order_it_was_asked_in_and_a_verdict(folder):
    ladder = board(folder)
    assert [row["name"] for row in ladder.rows] == list(SCORES)
    assert ladder.verdict.rung == "svm"


def test_a_rung_that_failed_in_a_fold_is_not_averaged_over_the_others(folder):
    keep(folder, "svm", 1, 0.99, failed="LinAlgError: singular")
    keep(folder, "svm", 3, 0.99, failed="LinAlgError: singular")
    ladder = board(folder)
    row = rows_of(ladder)["svm"]
    assert (row["status"], row["score"]) == ("failed", None)
    assert row["reason"] == "failed in 2 of 4 folds: LinAlgError: singular"
    assert row["remedy"]
    assert rows_of(ladder)["mlp"]["below"]["rung"] == "linear", "it is no rung to compare with"
    assert ladder.verdict.rung == "mlp"


def test_folds_that_were_not_reached_are_not_averaged_over_either(folder):
    (folder / "fits" / "mlp" / "0-2" / "complete.json").unlink()
    row = rows_of(board(folder))["mlp"]
    assert (row["status"], row["score"]) == ("not tried", None)
    assert row["reason"] == "only 3 of 4 folds were finished in time"


def test_a_fold_without_a_defined_score_is_counted(folder):
    keep(folder, "svm", 2, None)
    row = rows_of(board(folder))["svm"]
    assert row["status"] == "ok"
    assert row["score"] == pytest.approx(np.mean([0.90, 0.92, 0.92]))
    assert row["fold_scores"][2] is None
    assert row["notes"] == ["accuracy is undefined in 1 of 4 folds"]
    both = np.array([0.90, 0.92, 0.92]) - np.array([0.80, 0.85, 0.83])
    assert row["below"]["difference"] == pytest.approx(both.mean())


def test_a_score_that_is_defined_nowhere_is_no_score(folder):
    for fold in range(4):
        keep(folder, "svm", fold, None)
    row = rows_of(board(folder))["svm"]
    assert row["status"] == "failed"
    assert "undefined in every fold" in row["reason"]
    assert "--metric" in row["remedy"]


def test_excused_rungs_keep_their_reason(folder):
    excused = {"linear": ("refused", "no", "use svm"), "svm": ("not tried", "slow", "--minutes")}
    rows = rows_of(board(folder, excused=excused))
    assert (rows["linear"]["status"], rows["linear"]["reason"]) == ("refused", "no")
    assert (rows["svm"]["status"], rows["svm"]["remedy"]) == ("not tried", "--minutes")
    assert rows["mlp"]["below"]["rung"] == "majority"


def test_nothing_scored_is_no_verdict(tmp_path):
    ladder = board(tmp_path)
    assert ladder.verdict is None
    assert {row["status"] for row in ladder.rows} == {"not tried"}


def test_equal_scores_in_every_fold_are_practically_equal(folder):
    for fold, score in enumerate(SCORES["svm"]):
        keep(folder, "mlp", fold, score)
    row = rows_of(board(folder))["mlp"]
    assert row["below"]["difference"] == 0
    assert (row["below"]["p"], row["below"]["equal"]) == (1.0, 1.0)


def test_intervals_end_where_scores_do():
    accuracy, r2 = CLASSIFICATION["accuracy"], REGRESSION["r2"]
    assert accuracy.within(-0.3, 1.2) == (0.0, 1.0)
    assert r2.within(-0.3, 1.2) == (-0.3, 1.0)
    assert REGRESSION["rmse"].within(-1.0, 7.0) == (0.0, 7.0)
