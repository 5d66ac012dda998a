"""Metrics against scikit-learn and the definitions, to rounding (rtol 1e-10 or better)."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as peer
from sklearn.calibration import calibration_curve as peer_curve

from gradatim.ops import classification, regression
from gradatim.ops import confusion as tables
from gradatim.ops.metrics import CLASSIFICATION, REGRESSION

Classified = tuple[np.ndarray, np.ndarray]


def classified(rows: int, classes: int, seed: int = 0, digits: int | None = None) -> Classified:
    """Return probabilities, coarse ones (many ties) when `digits` is given, and targets."""
    chance = np.random.default_rng(seed)
    raw = chance.gamma(1.0, size=(rows, classes)) + 1e-9
    if digits is not None:
        raw = np.round(raw, digits) + 0.1
    return raw / raw.sum(axis=1, keepdims=True), chance.permutation(np.arange(rows) % classes)


def peer_auc(p: np.ndarray, y: np.ndarray) -> float:
    if p.shape[1] == 2:
        return float(peer.roc_auc_score(y, p[:, 1]))
    return float(peer.roc_auc_score(y, p, multi_class="ovr", average="macro"))


PEERS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": lambda p, y: peer.accuracy_score(y, p.argmax(1)),
    "balanced_accuracy": lambda p, y: peer.balanced_accuracy_score(y, p.argmax(1)),
    "f1": lambda p, y: peer.f1_score(y, p.argmax(1), average="macro"),
    "auc": peer_auc,
    "log_loss": lambda p, y: peer.log_loss(y, p, labels=range(p.shape[1])),
    "brier": lambda p, y: peer.brier_score_loss(y, p, labels=range(p.shape[1]), scale_by_half=True),
}

REGRESSION_PEERS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "rmse": lambda p, y: peer.root_mean_squared_error(y, p),
    "mae": lambda p, y: peer.mean_absolute_error(y, p),
    "r2": lambda p, y: peer.r2_score(y, p),
}


@pytest.mark.parametrize("name", CLASSIFICATION)
@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("digits", [None, 0])
def test_classification_is_scikit_learns(name: str, classes: int, digits: int | None) -> None:
    probabilities, targets = classified(60, classes, seed=classes, digits=digits)
    expected = PEERS[name](probabilities, targets)
    assert CLASSIFICATION[name](probabilities, targets) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "f1"])
def test_labels_missing_from_the_targets(name: str) -> None:
    probabilities, targets = classified(40, 5)
    targets = targets % 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = PEERS[name](probabilities, targets)
    assert CLASSIFICATION[name](probabilities, targets) == pytest.approx(expected)


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_is_scikit_learns(name: str) -> None:
    chance = np.random.default_rng(0)
    targets = chance.normal(50, 3, size=40)
    predictions = targets + chance.normal(size=40)
    expected = REGRESSION_PEERS[name](predictions, targets)
    assert REGRESSION[name](predictions, targets) == pytest.approx(expected, rel=1e-10)


def test_catalogs_name_and_turn_their_metrics() -> None:
    lower = {"log_loss", "brier", "rmse", "mae"}
    assert list(CLASSIFICATION) == list(PEERS)
    assert list(REGRESSION) == list(REGRESSION_PEERS)
    for name, metric in {**CLASSIFICATION, **REGRESSION}.items():
        assert metric.name == name
        assert (metric.direction == "lower") == (name in lower)
        assert metric.bounded == (name not in {"log_loss", "rmse", "mae"})


@pytest.mark.parametrize("name", CLASSIFICATION)
@pytest.mark.parametrize("classes", [2, 4])
def test_truth_is_best_and_its_opposite_worst(name: str, classes: int) -> None:
    targets = np.arange(12) % classes
    metric = CLASSIFICATION[name]
    right, wrong = np.eye(classes)[targets], np.eye(classes)[(targets + 1) % classes]
    assert metric(right, targets) == (1 if metric.direction == "higher" else 0)
    assert metric.sign * metric(right, targets) > metric.sign * metric(wrong, targets)
    if metric.bounded:
        assert 0 <= metric(wrong, targets) <= 1


@given(st.integers(2, 5), st.integers(2, 40), st.integers(0, 10_000), st.integers(0, 2))
def test_auc_counts_pairs(classes: int, rows: int, seed: int, digits: int) -> None:
    """The definition, pair by pair, a tie counting one half."""
    probabilities, targets = classified(rows, classes, seed, digits)
    targets = targets % min(classes, rows)
    chosen = [1] if classes == 2 else np.unique(targets)
    wins = []
    for k in chosen:
        scores, own = probabilities[:, k], targets == k
        gaps = scores[own][:, None] - scores[~own][None, :]
        wins.append(np.mean((gaps > 0) + 0.5 * (gaps == 0)))
    assert classification.auc(probabilities, targets) == pytest.approx(np.mean(wins))


def test_auc_of_one_class_is_undefined() -> None:
    for classes in (1, 2, 3):
        uniform = np.full((4, classes), 1 / classes)
        assert np.isnan(classification.auc(uniform, np.zeros(4, dtype=int)))


def test_auc_leaves_out_a_class_without_rows() -> None:
    probabilities, targets = classified(30, 3)
    targets = targets % 2
    expected = np.mean([peer.roc_auc_score(targets == k, probabilities[:, k]) for k in range(2)])
    assert classification.auc(probabilities, targets) == pytest.approx(expected)


def test_auc_of_many_equal_scores_does_not_overflow() -> None:
    targets = np.arange(200_000) % 2
    assert classification.auc(np.full((200_000, 2), 0.5), targets) == 0.5


def test_log_loss_is_finite_when_surely_wrong() -> None:
    sure = np.array([[1.0, 0.0]])
    assert classification.log_loss(sure, np.array([1])) == pytest.approx(52 * np.log(2))
    assert classification.log_loss(sure.astype(np.float32), np.array([1])) == pytest.approx(
        52 * np.log(2)
    )


def test_brier_of_two_classes_is_the_squared_error() -> None:
    probabilities, targets = classified(30, 2)
    assert classification.brier(probabilities, targets) == pytest.approx(
        np.mean((probabilities[:, 1] - targets) ** 2)
    )


def longhand_ece(probabilities: np.ndarray, targets: np.ndarray, bins: int) -> float:
    top, right = probabilities.max(1), probabilities.argmax(1) == targets
    total = 0.0
    for b in range(bins):
        inside = (top > b / bins) & (top <= (b + 1) / bins)
        if inside.any():
            total += inside.mean() * abs(top[inside].mean() - right[inside].mean())
    return total


@given(st.integers(2, 6), st.integers(1, 60), st.integers(0, 10_000))
def test_ece_is_the_definition(classes: int, rows: int, seed: int) -> None:
    probabilities, targets = classified(rows, classes, seed)
    assert classification.ece(probabilities, targets) == pytest.approx(
        longhand_ece(probabilities, targets, 15)
    )


def test_calibration_curve_is_scikit_learns_without_its_empty_bins() -> None:
    probabilities, targets = classified(200, 3)
    confidence, share, count = tables.calibration_curve(probabilities, targets, bins=10)
    right = probabilities.argmax(1) == targets
    expected_share, expected_confidence = peer_curve(right, probabilities.max(1), n_bins=10)
    assert count.sum() == 200
    assert np.isnan(share[count == 0]).all()
    assert (count[:3] == 0).all()  # the best of three classes has a third or more
    np.testing.assert_allclose(confidence[count > 0], expected_confidence)
    np.testing.assert_allclose(share[count > 0], expected_share)


def test_calibration_puts_an_edge_in_the_lower_bin_and_one_in_the_last() -> None:
    probabilities = np.array([[0.5, 0.5], [1.0, 0.0]])
    _, _, count = tables.calibration_curve(probabilities, np.array([0, 0]), bins=2)
    assert count.tolist() == [1, 1]


def test_confusion_and_per_class_are_scikit_learns() -> None:
    probabilities, targets = classified(50, 5)
    predicted, targets = probabilities.argmax(1) % 4, targets % 3  # 4 is neither, 3 has no rows
    table = tables.confusion(predicted, targets, 5)
    np.testing.assert_array_equal(table, peer.confusion_matrix(targets, predicted, labels=range(5)))
    expected = peer.precision_recall_fscore_support(
        targets, predicted, labels=range(5), zero_division=np.nan
    )
    for found, other in zip(tables.per_class(table), expected, strict=True):
        np.testing.assert_allclose(found, other)


def test_confusion_of_no_rows() -> None:
    none = np.array([], dtype=np.int64)
    assert tables.confusion(none, none, 2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("targets", [[3.0, 3.0, 3.0], [7.0]])
def test_r2_of_constant_targets_is_undefined(targets: list[float]) -> None:
    with np.errstate(all="raise"):
        assert np.isnan(regression.r2(np.zeros(len(targets)), np.array(targets)))


@given(st.sampled_from([1e-200, 1e-20, 1.0, 1e20, 1e200]))
def test_r2_has_no_unit(scale: float) -> None:
    targets, predictions = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    assert regression.r2(predictions * scale, targets * scale) == pytest.approx(
        regression.r2(predictions, targets)
    )


@pytest.mark.parametrize("name", REGRESSION)
def test_a_column_is_not_broadcast_against_a_row(name: str) -> None:
    with pytest.raises(ValueError, match=r"shape \(3, 1\), targets \(3,\)"):
        REGRESSION[name](np.zeros((3, 1)), np.zeros(3))
    with pytest.raises(ValueError, match=r"expected \(rows,\)"):
        REGRESSION[name](np.zeros((3, 1)), np.zeros((3, 1)))


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_refuses_nan_and_nothing(name: str) -> None:
    with pytest.raises(ValueError, match="1 of 2 predictions are not finite"):
        REGRESSION[name](np.array([np.nan, 1.0]), np.zeros(2))
    with pytest.raises(ValueError, match="0 of 0"):
        REGRESSION[name](np.array([]), np.array([]))


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_classification_refuses_what_it_cannot_judge(name: str) -> None:
    metric, fair = CLASSIFICATION[name], np.full((2, 2), 0.5)
    with pytest.raises(ValueError, match="not finite"):
        metric(np.array([[np.nan, 1.0], [0.5, 0.5]]), np.array([0, 1]))
    with pytest.raises(ValueError, match="0 to 1 are known"):
        metric(fair, np.array([0, 2]))
    with pytest.raises(ValueError, match="-1 to 1"):
        metric(fair, np.array([-1, 1]))
    with pytest.raises(ValueError, match="integers"):
        metric(fair, np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="for 3 targets"):
        metric(fair, np.array([0, 1, 1]))


@pytest.mark.parametrize("name", ["log_loss", "brier"])
def test_logits_are_not_probabilities(name: str) -> None:
    with pytest.raises(ValueError, match="softmax"):
        CLASSIFICATION[name](np.array([[2.0, -1.0], [0.0, 1.0]]), np.array([0, 1]))


def test_a_bfloat16_softmax_passes() -> None:
    probabilities, targets = classified(50, 10)
    short = (probabilities.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
    assert np.abs(short.sum(1) - 1).max() > 1e-3
    assert classification.brier(short, targets) == pytest.approx(
        classification.brier(probabilities, targets), abs=1e-2
    )


def test_tables_and_bins_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="square"):
        tables.per_class(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="3 predicted classes but 2 targets"):
        tables.confusion(np.array([0, 1, 1]), np.array([0, 1]), 2)
    with pytest.raises(ValueError, match="bins"):
        classification.ece(np.full((2, 2), 0.5), np.array([0, 1]), bins=0)
