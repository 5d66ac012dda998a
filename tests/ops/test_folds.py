"""Splits: what must hold for any data, and what scikit-learn makes of the same rows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from gradatim.ops.folds import Split, holdout, kfold, split_hash

seeds = st.integers(0, 2**32)
labels = st.lists(st.integers(-2, 4), min_size=6, max_size=60)
shares = st.floats(0.05, 0.95)


def check_partition(n: int, split: Split) -> None:
    train, held = split
    assert train.dtype == held.dtype == np.int64
    assert len(train)
    assert len(held)
    assert np.all(np.diff(train) > 0)
    assert np.all(np.diff(held) > 0)
    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(n))


def check_folds(n: int, splits: list[Split]) -> None:
    for split in splits:
        check_partition(n, split)
    judged = np.concatenate([validation for _, validation in splits])
    np.testing.assert_array_equal(np.sort(judged), np.arange(n))


@given(st.integers(2, 80), st.integers(2, 8), seeds)
def test_every_row_judges_once_in_even_folds(n: int, folds: int, seed: int) -> None:
    assume(n >= folds)
    splits = kfold(n, folds, seed)
    check_folds(n, splits)
    sizes = [len(validation) for _, validation in splits]
    assert len(splits) == folds
    assert max(sizes) - min(sizes) <= 1


@given(labels, st.integers(2, 6), seeds)
def test_strata_and_sizes_differ_by_one_at_most(strata: list[int], folds: int, seed: int) -> None:
    splits = kfold(len(strata), folds, seed, strata=strata)
    check_folds(len(strata), splits)
    for wanted in [*set(strata), None]:
        counts = [
            sum(wanted is None or strata[row] == wanted for row in validation)
            for _, validation in splits
        ]
        assert max(counts) - min(counts) <= 1


def test_a_rare_class_is_spread_over_distinct_folds() -> None:
    strata = [0] * 17 + [1] * 3
    holding = [np.sum(validation >= 17) for _, validation in kfold(20, 5, 0, strata=strata)]
    assert sorted(holding) == [0, 0, 1, 1, 1]


@given(labels, st.integers(2, 5), seeds, st.booleans())
def test_groups_never_straddle(groups: list[int], folds: int, seed: int, stratified: bool) -> None:
    assume(len(set(groups)) >= folds)
    n = len(groups)
    strata = [row % 3 for row in range(n)] if stratified else None
    splits = kfold(n, folds, seed, strata=strata, groups=groups)
    check_folds(n, splits)
    for train, validation in splits:
        assert not {groups[i] for i in train} & {groups[i] for i in validation}
    sizes = [len(validation) for _, validation in splits]
    if not stratified:  # dealing the largest first leaves no gap wider than the largest group
        assert max(sizes) - min(sizes) <= max(groups.count(g) for g in groups)


def test_groups_of_one_row_are_as_even_as_rows() -> None:
    sizes = [len(v) for _, v in kfold(23, 4, 0, groups=[str(i) for i in range(23)])]
    assert sorted(sizes) == [5, 6, 6, 6]


def test_groups_of_one_class_each_leave_no_fold_empty() -> None:
    strata = groups = [0, 0, 1, 1, 2, 2]
    check_folds(6, kfold(6, 3, 0, strata=strata, groups=groups))


def spread(strata: np.ndarray, validations: list[np.ndarray]) -> float:
    """Return how unevenly classes lie over folds: mean over classes of the standard deviation."""
    counts = np.array([np.bincount(strata[v], minlength=strata.max() + 1) for v in validations])
    return float(np.mean(np.std(counts / counts.sum(axis=0), axis=0)))


@pytest.mark.parametrize("seed", range(5))
def test_grouped_strata_are_as_even_as_scikit_learns(seed: int) -> None:
    """Equal means within a tenth: the two greedy rules differ in order and in what size weighs."""
    chance = np.random.default_rng(seed)
    groups = chance.integers(40, size=400)
    strata = (chance.random(400) < chance.random(40)[groups] ** 2).astype(int)
    ours = spread(strata, [v for _, v in kfold(400, 5, seed, strata=strata, groups=groups)])
    theirs = spread(strata, [v for _, v in StratifiedGroupKFold(5).split(strata, strata, groups)])
    blind = spread(strata, [v for _, v in kfold(400, 5, seed, groups=groups)])
    assert ours <= theirs * 1.1 or ours < 0.01
    assert ours < blind


@given(st.lists(st.integers(0, 12), min_size=6, max_size=60), st.integers(2, 5), seeds)
def test_time_runs_forward(times: list[int], folds: int, seed: int) -> None:
    assume(len(set(times)) > folds)
    n, moments = len(times), np.array(times)
    splits = kfold(n, folds, seed, times=times)
    assert len(splits) == folds
    seen = set(splits[0][0].tolist())
    for train, validation in splits:
        assert set(train.tolist()) == seen
        assert len(validation)
        assert moments[train].max() < moments[validation].min()
        seen |= set(validation.tolist())
    check_partition(n, splits[-1])
    assert splits[0][0].tolist() == kfold(n, folds, seed + 1, times=times)[0][0].tolist()


def test_distinct_times_make_even_blocks() -> None:
    splits = kfold(20, 4, 0, times=np.arange(20)[::-1])
    assert [len(train) for train, _ in splits] == [4, 8, 12, 16]
    assert splits[0][0].tolist() == [16, 17, 18, 19]


def test_times_may_be_dates_or_text() -> None:
    days = np.array(["2024-03-01", "2024-01-01", "2024-02-01", "2024-04-01"])
    for times in (days, days.astype("datetime64[D]"), days.astype(object)):
        _, held = holdout(4, 0.5, 0, times=times)
        assert held.tolist() == [0, 3]


def test_one_crowded_moment_still_leaves_room_for_all_blocks() -> None:
    splits = kfold(23, 3, 0, times=[0] * 20 + [1, 2, 3])
    assert [len(validation) for _, validation in splits] == [1, 1, 1]


@given(st.integers(2, 80), shares, seeds)
def test_holdout_has_its_size(n: int, share: float, seed: int) -> None:
    split = holdout(n, share, seed)
    check_partition(n, split)
    assert len(split[1]) == min(max(round(share * n), 1), n - 1)


@given(labels, shares, seeds)
def test_holdout_keeps_class_shares_and_one_row_to_learn_from(
    strata: list[int], share: float, seed: int
) -> None:
    n, classes = len(strata), np.array(strata)
    assume(len(set(strata)) < n)
    train, held = holdout(n, share, seed, strata=strata)
    check_partition(n, (train, held))
    size = min(max(round(share * n), 1), n - 1)
    assert len(held) <= size
    for wanted in set(strata):
        count = int(np.sum(classes == wanted))
        assert np.sum(classes[train] == wanted) >= 1
        assert abs(np.sum(classes[held] == wanted) - count * size / n) <= 1


def test_holdout_without_rare_classes_has_its_size() -> None:
    strata = [0] * 70 + [1] * 20 + [2] * 10
    _, held = holdout(100, 0.25, 0, strata=strata)
    counts = np.bincount(np.array(strata)[held])
    assert len(held) == 25
    assert counts.tolist() in ([18, 5, 2], [17, 5, 3])


@given(labels, shares, seeds)
def test_holdout_keeps_groups_whole(groups: list[int], share: float, seed: int) -> None:
    assume(len(set(groups)) >= 2)
    train, held = holdout(len(groups), share, seed, groups=groups)
    check_partition(len(groups), (train, held))
    assert not {groups[i] for i in train} & {groups[i] for i in held}


@pytest.mark.parametrize("seed", range(5))
def test_holdout_of_groups_meets_size_and_class_shares(seed: int) -> None:
    chance = np.random.default_rng(seed)
    groups = chance.integers(60, size=600)
    strata = (chance.random(600) < chance.random(60)[groups]).astype(int)
    _, held = holdout(600, 0.2, seed, strata=strata, groups=groups)
    assert len(held) == pytest.approx(120, abs=15)
    assert strata[held].mean() == pytest.approx(strata.mean(), abs=0.08)


def test_holdout_takes_the_smallest_miss_when_every_group_is_too_large() -> None:
    train, held = holdout(10, 0.1, 0, groups=[0] * 6 + [1] * 4)
    assert (len(train), len(held)) == (6, 4)


@given(st.lists(st.integers(0, 9), min_size=4, max_size=40), shares)
def test_holdout_of_the_latest(times: list[int], share: float) -> None:
    assume(len(set(times)) >= 2)
    moments = np.array(times)
    train, held = holdout(len(times), share, 0, times=times)
    check_partition(len(times), (train, held))
    assert moments[train].max() < moments[held].min()


ways: list[dict[str, Any]] = [
    {},
    {"strata": np.arange(40) % 3},
    {"groups": np.arange(40) // 3},
    {"strata": np.arange(40) % 2, "groups": np.arange(40) // 3},
]


@pytest.mark.parametrize("way", ways)
def test_a_split_is_a_function_of_its_seed(way: dict[str, Any]) -> None:
    def name(seed: int) -> str:
        folds = kfold(40, 4, seed, **way)
        return split_hash([*holdout(40, 0.3, seed, **way), *(p for fold in folds for p in fold)])

    assert name(7) == name(7) != name(8)


def test_golden_split() -> None:
    """Pinned: the same seed must give the same folds on any machine and after any rewrite."""
    folds = kfold(10, 3, 0, strata=[0, 1] * 5)
    assert split_hash(part for fold in folds for part in fold)[:16] == "a3aeddf92d0ec832"


def test_hash_sees_values_order_shape_and_type_but_not_layout() -> None:
    base = np.arange(6)
    name = split_hash([base])
    others: list[np.ndarray] = [base[::-1], base.reshape(2, 3), base.astype(np.int32)]
    assert len({name, *(split_hash([other]) for other in others)}) == 4
    assert split_hash([base[:3], base[3:]]) != name
    assert split_hash([base.astype(">i8")]) == name
    assert split_hash([np.repeat(base, 2)[::2]]) == name
    with pytest.raises(ValueError, match="Python objects"):
        split_hash([np.array([None])])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 3, "folds": 5}, "3 rows cannot fill 5 folds; use at most 3"),
        ({"n": 9, "folds": 1}, "folds is 1"),
        ({"n": 6, "folds": 3, "groups": list("aabbab")}, "2 groups cannot fill 3 folds"),
        ({"n": 6, "folds": 3, "times": [1, 1, 2, 2, 3, 3]}, "3 different times .* 4 blocks"),
        ({"n": 4, "folds": 2, "times": range(4), "groups": range(4)}, "choose one"),
        ({"n": 4, "folds": 2, "strata": [1, 2]}, r"strata has shape \(2,\).* 4 rows"),
        ({"n": 3, "folds": 2, "groups": ["a", None, "b"]}, "groups is missing in 1 of 3"),
        ({"n": 3, "folds": 2, "times": [1.0, np.nan, 2.0]}, "times is missing in 1 of 3"),
        ({"n": 3, "folds": 2, "groups": np.array(["a", 1, "b"], dtype=object)}, "mixes types"),
    ],
)
def test_kfold_says_what_is_wrong(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kfold(seed=0, **arguments)


def test_missing_dates_are_missing() -> None:
    times = np.array(["2024-01-01", "NaT", "2024-01-03"], dtype="datetime64[D]")
    with pytest.raises(ValueError, match="missing in 1 of 3"):
        holdout(3, 0.4, 0, times=times)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 1, "share": 0.2}, "1 rows cannot be split"),
        ({"n": 9, "share": 1.0}, "share is 1.0"),
        ({"n": 9, "share": float("nan")}, "share is nan"),
        ({"n": 3, "share": 0.3, "strata": [0, 1, 2]}, "each of the 3 classes has one row"),
        ({"n": 4, "share": 0.3, "groups": [1, 1, 1, 1]}, "each of the 1 groups"),
        ({"n": 4, "share": 0.5, "groups": [0, 0, 1, 1], "strata": [0, 0, 1, 1]}, "some class"),
        ({"n": 4, "share": 0.5, "times": [2, 2, 2, 2]}, "1 different times"),
        ({"n": 4, "share": 0.5, "times": range(4), "groups": range(4)}, "choose one"),
    ],
)
def test_holdout_says_what_is_wrong(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        holdout(seed=0, **arguments)
