"""Statistics against SciPy, baycomp and the definitions."""

import subprocess
import sys
from math import inf, isnan, nan, sqrt

import baycomp  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gradatim.ops.intervals import bootstrap_interval, mcnemar, paired_bootstrap, wilson
from gradatim.ops.paired import Practical, corrected_interval, corrected_t, holm, practical

DIFFERENCES = [0.03, -0.01, 0.02, 0.05, 0.00, 0.04, 0.01, 0.03]
RATIOS = [0.0, 1 / 9, 0.25, 1 / 7, 0.43]  # 1/7 is the even folds' ratio, the others are not


def longhand_t(differences: list[float], ratio: float) -> tuple[float, float]:
    n = len(differences)
    mean = sum(differences) / n
    variance = sum((d - mean) ** 2 for d in differences) / (n - 1)
    t = mean / sqrt((1 / n + ratio) * variance)
    return t, 2 * float(stats.t.sf(abs(t), n - 1))


@pytest.mark.parametrize("ratio", RATIOS)
def test_corrected_t_is_the_formula(ratio: float) -> None:
    assert corrected_t(DIFFERENCES, ratio) == pytest.approx(longhand_t(DIFFERENCES, ratio))


def test_without_overlap_it_is_the_paired_t_test() -> None:
    first = np.array([0.8, 0.7, 0.9, 0.85])
    second = np.array([0.7, 0.72, 0.8, 0.83])
    peer = stats.ttest_rel(first, second)
    assert corrected_t(first - second, 0.0) == pytest.approx((peer.statistic, peer.pvalue))


def test_ratio_is_of_fold_sizes_not_of_fold_count() -> None:
    """Ten hold-outs of a third: 0.5, where 1 / (n - 1) would be 0.11 and 1 / n_train nearly 0."""
    differences = np.linspace(-0.01, 0.05, 10)
    t, _ = corrected_t(differences, ratio=50 / 100)
    assert t == pytest.approx(differences.mean() / (differences.std(ddof=1) * sqrt(0.1 + 0.5)))


def test_uneven_folds_take_their_mean_ratio() -> None:
    sizes = np.array([3, 3, 2, 2])
    ratio = float(np.mean(sizes / (10 - sizes)))
    assert ratio != pytest.approx(1 / 3, abs=1e-3)
    assert corrected_t([0.1, 0.2, 0.3, 0.1], ratio) == pytest.approx(
        longhand_t([0.1, 0.2, 0.3, 0.1], ratio)
    )


@pytest.mark.parametrize(
    ("differences", "expected"),
    [([0.0] * 5, (0.0, 1.0)), ([0.1] * 3, (inf, 0.0)), ([-0.1] * 3, (-inf, 0.0))],
)
def test_corrected_t_of_equal_differences(
    differences: list[float], expected: tuple[float, float]
) -> None:
    assert corrected_t(differences, 0.5) == expected


@pytest.mark.parametrize("values", [[], [0.3]])
def test_one_fold_says_nothing(values: list[float]) -> None:
    assert all(map(isnan, corrected_t(values, 0.5)))
    assert all(map(isnan, corrected_interval(values, 0.5)))
    assert all(map(isnan, practical(values, 0.5, 0.01)))


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_interval_is_scipys_with_a_wider_error(ratio: float, confidence: float) -> None:
    error = np.std(DIFFERENCES, ddof=1) * sqrt(1 / 8 + ratio)
    peer = stats.t.interval(confidence, 7, np.mean(DIFFERENCES), error)
    assert corrected_interval(DIFFERENCES, ratio, confidence) == pytest.approx(peer)


def test_interval_and_p_agree() -> None:
    """Zero lies on the border of the interval at confidence 1 - p."""
    _, p = corrected_t(DIFFERENCES, 0.25)
    low, _ = corrected_interval(DIFFERENCES, 0.25, 1 - p)
    assert low == pytest.approx(0, abs=1e-12)


def test_interval_of_equal_scores_is_a_point() -> None:
    assert corrected_interval([0.1, 0.1, 0.1], 0.5) == (0.1, 0.1)


@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("rope", [0.005, 0.02, 0.1])
def test_practical_is_baycomps(runs: int, rope: float) -> None:
    first, second = np.zeros(8), np.array(DIFFERENCES)
    peer = baycomp.two_on_single(first, second, rope=rope, runs=runs)
    ratio = 1 / (8 / runs - 1)
    assert practical(DIFFERENCES, ratio, rope) == pytest.approx(tuple(peer), abs=1e-12)


@pytest.mark.parametrize("ratio", RATIOS)
def test_practical_is_students_posterior_at_any_ratio(ratio: float) -> None:
    scale = np.std(DIFFERENCES, ddof=1) * sqrt(1 / 8 + ratio)
    posterior = stats.t(7, np.mean(DIFFERENCES), scale)
    edges = posterior.cdf([-0.01, 0.01])
    expected = (edges[0], edges[1] - edges[0], 1 - edges[1])
    assert practical(DIFFERENCES, ratio, 0.01) == pytest.approx(expected)


def test_practical_without_a_rope_is_half_of_p() -> None:
    worse, equal, better = practical(DIFFERENCES, 0.25, 0.0)
    assert worse == pytest.approx(corrected_t(DIFFERENCES, 0.25)[1] / 2)
    assert (equal, worse + better) == pytest.approx((0, 1))


@pytest.mark.parametrize(
    ("value", "rope", "expected"),
    [
        (0.0, 0.0, Practical(0, 1, 0)),
        (0.1, 0.05, Practical(0, 0, 1)),
        (-0.1, 0.05, Practical(1, 0, 0)),
        (0.1, 0.1, Practical(0, 1, 0)),
    ],
)
def test_practical_of_equal_differences(value: float, rope: float, expected: Practical) -> None:
    assert practical([value] * 3, 0.5, rope) == expected


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12), st.floats(0, 1), st.floats(0, 0.5))
def test_practical_is_a_distribution_and_turns_with_the_sign(
    differences: list[float], ratio: float, rope: float
) -> None:
    there = practical(differences, ratio, rope)
    back = practical([-d for d in differences], ratio, rope)
    assert sum(there) == pytest.approx(1)
    assert min(there) >= 0
    assert there == pytest.approx((back.better, back.equal, back.worse), abs=1e-9)


@pytest.mark.parametrize("value", [nan, inf])
def test_undefined_folds_are_never_averaged(value: float) -> None:
    with pytest.raises(ValueError, match="1 of 3 fold scores are not finite"):
        corrected_interval([0.5, value, 0.6], 0.5)
    with pytest.raises(ValueError, match="leave the undefined folds out"):
        corrected_t([0.5, value, 0.6], 0.5)


def test_arguments_out_of_range() -> None:
    with pytest.raises(ValueError, match="ratio"):
        corrected_t([0.1, 0.2], -0.1)
    with pytest.raises(ValueError, match="rope"):
        practical([0.1, 0.2], 0.5, -0.1)
    with pytest.raises(ValueError, match="confidence"):
        corrected_interval([0.1, 0.2], 0.5, 95.0)
    with pytest.raises(ValueError, match="draws"):
        bootstrap_interval(len, 5, draws=0)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.9, 0.01, 0.6]) == pytest.approx([1.0, 0.03, 1.0])
    assert holm([]) == []


def test_holm_passes_nan_through_uncounted() -> None:
    adjusted = holm([nan, 0.04, nan, 0.01])
    assert adjusted[1::2] == pytest.approx([0.04, 0.02])
    assert isnan(adjusted[0])
    assert isnan(adjusted[2])


@given(st.lists(st.floats(0, 1), max_size=10))
def test_holm_rejects_what_the_stepwise_procedure_rejects(pvalues: list[float]) -> None:
    """Holm's own words: go up the sorted values and stop at the first p > alpha / (m - i)."""
    adjusted = holm(pvalues)
    order = sorted(range(len(pvalues)), key=lambda i: pvalues[i])
    assert [adjusted[i] for i in order] == sorted(adjusted)
    assert all(a >= p for a, p in zip(adjusted, pvalues, strict=True))
    for alpha in (0.05, 0.31):
        rejected: set[int] = set()
        for step, i in enumerate(order):
            if (len(pvalues) - step) * pvalues[i] > alpha:
                break
            rejected.add(i)
        assert rejected == {i for i, a in enumerate(adjusted) if a <= alpha}


def test_holm_refuses_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm([0.1, 1.1])


@pytest.mark.parametrize(("successes", "total"), [(0, 10), (10, 10), (9, 10), (263, 300), (1, 1)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_wilson_is_scipys(successes: int, total: int, confidence: float) -> None:
    peer = stats.binomtest(successes, total).proportion_ci(confidence, method="wilson")
    found = wilson(successes, total, confidence)
    assert found == pytest.approx((peer.low, peer.high), abs=1e-12)
    assert 0 <= found[0] <= successes / total <= found[1] <= 1


def test_wilson_of_nothing_and_of_the_impossible() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="11 successes of 10"):
        wilson(11, 10)


@given(st.integers(0, 24), st.integers(0, 24))
def test_mcnemar_is_the_sign_test_when_few_disagree(first: int, second: int) -> None:
    discordant = first + second
    if not 0 < discordant < 25:
        return
    assert mcnemar(first, second) == pytest.approx(stats.binomtest(first, discordant).pvalue)


def test_mcnemar_from_25_on_is_chi_squared() -> None:
    assert mcnemar(86, 150) == pytest.approx(stats.chi2.sf(63**2 / 236, 1))
    assert mcnemar(5, 20) == pytest.approx(stats.chi2.sf(14**2 / 25, 1))
    assert mcnemar(5, 19) == pytest.approx(stats.binomtest(5, 24).pvalue)


def test_mcnemar_without_a_difference() -> None:
    assert mcnemar(0, 0) == mcnemar(7, 7) == mcnemar(40, 40) == 1
    with pytest.raises(ValueError, match="-1"):
        mcnemar(-1, 3)


def test_bootstrap_is_scipys_percentile_interval() -> None:
    """Tolerance: a 2.5 % quantile of 4000 draws errs by about 0.004 (standard error 0.1)."""
    values = np.random.default_rng(3).normal(size=100)
    peer = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(0)
    ).confidence_interval
    found = bootstrap_interval(lambda i: float(values[i].mean()), 100, draws=4000)
    assert found == pytest.approx((peer.low, peer.high), abs=0.02)


def test_a_score_that_resampling_makes_worse_is_moved_back() -> None:
    """The share of different values falls to 1 - 1/e when rows are drawn with return."""

    def different(rows: np.ndarray) -> float:
        return len(np.unique(rows)) / len(rows)

    low, high = bootstrap_interval(different, 100)
    assert high < 0.75
    low, high = bootstrap_interval(different, 100, centre=1.0)
    assert low < 1 < high
    assert (low + high) / 2 == pytest.approx(1, abs=0.02)


def test_bootstrap_is_a_function_of_its_seed() -> None:
    values = np.arange(30.0)
    runs = [bootstrap_interval(lambda i: float(values[i].mean()), 30, seed=s) for s in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=20), st.integers(0, 9))
def test_bootstrap_draws_groups_whole(labels: list[str], seed: int) -> None:
    names, codes = np.unique(labels, return_inverse=True)
    sizes = np.bincount(codes)

    def check(index: np.ndarray) -> float:
        assert index.dtype == np.int64
        times = np.bincount(index, minlength=len(labels))
        for group in range(len(names)):
            assert len(set(times[codes == group])) == 1
        assert sum(times[codes == g][0] for g in range(len(names))) == len(names)
        assert len(index) == sum(times[codes == g][0] * sizes[g] for g in range(len(names)))
        return 0.0

    bootstrap_interval(check, len(labels), groups=labels, seed=seed, draws=5)


def test_rows_of_one_group_are_not_independent() -> None:
    """Ten copies of each row must not narrow the interval."""
    values = np.repeat(np.random.default_rng(0).normal(size=20), 10)
    groups = np.repeat(np.arange(20), 10)

    def score(index: np.ndarray) -> float:
        return float(values[index].mean())

    naive = np.ptp(bootstrap_interval(score, 200))
    whole = np.ptp(bootstrap_interval(score, 200, groups))
    assert 2.5 < whole / naive < 4  # sqrt(10) = 3.16


@pytest.mark.parametrize(("rows", "groups"), [(0, None), (1, None), (5, ["a"] * 5)])
def test_bootstrap_of_one_unit_says_nothing(rows: int, groups: list[str] | None) -> None:
    assert all(map(isnan, bootstrap_interval(len, rows, groups)))


def test_bootstrap_leaves_out_undefined_draws() -> None:
    def seldom(index: np.ndarray) -> float:
        return nan if 0 not in index else 1.0  # about 37 % of the draws

    def mostly(index: np.ndarray) -> float:
        return nan if 0 in index else 1.0

    assert bootstrap_interval(seldom, 50) == (1.0, 1.0)
    assert all(map(isnan, bootstrap_interval(mostly, 50)))


def test_bootstrap_groups_must_fit() -> None:
    with pytest.raises(ValueError, match="each of 5 rows"):
        bootstrap_interval(len, 5, groups=["a", "b"])


def test_paired_bootstrap_cancels_what_both_share() -> None:
    shared = np.random.default_rng(0).normal(size=200) * 10
    gain = np.random.default_rng(1).normal(loc=0.3, scale=0.5, size=200)
    low, high = paired_bootstrap(
        lambda i: float((shared + gain)[i].mean()), lambda i: float(shared[i].mean()), 200
    )
    alone = bootstrap_interval(lambda i: float(gain[i].mean()), 200)
    assert (low, high) == pytest.approx(alone)
    assert 0 < low < high < 0.5


def test_import_is_cheap() -> None:
    heavy = "{'scipy', 'torch'}"
    rooms = "gradatim.ops.intervals, gradatim.ops.paired"
    code = f"import {rooms}, sys; sys.exit(bool({heavy} & {{*sys.modules}}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
