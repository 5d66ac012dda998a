import torch

from gradatim.core.samples import Samples
from gradatim.ops.inner import inner_folds, inner_holdout


def samples(n, classes=2, groups=None, times=None):
    inputs = torch.zeros(n, 1, dtype=torch.float64)
    return Samples(inputs, torch.arange(n) % classes, groups, times)


def test_folds_cover_every_row_once_and_spread_classes():
    data = samples(30, classes=3)
    splits = inner_folds(data, 3, seed=0)
    held = sorted(row for _, validation in splits for row in validation.tolist())
    assert held == list(range(30))
    for _, validation in splits:
        assert torch.bincount(data.targets[validation]).max() <= 4


def test_groups_stay_whole():
    data = samples(30, groups=torch.arange(30) // 5)
    splits = [*inner_folds(data, 3, seed=0), inner_holdout(data, 0.2, seed=0)]
    for train, validation in splits:
        assert not set(data.groups[train].tolist()) & set(data.groups[validation].tolist())


def test_time_runs_forward():
    data = samples(30, times=torch.arange(30).flip(0).double())
    splits = [*inner_folds(data, 3, seed=0), inner_holdout(data, 0.2, seed=0)]
    for train, validation in splits:
        assert data.times[train].max() < data.times[validation].min()


def test_quantities_need_no_classes():
    data = Samples(torch.zeros(20, 1), torch.rand(20, 1, dtype=torch.float64))
    assert len(inner_folds(data, 3, seed=0)) == 3
    assert inner_holdout(data, 0.5, seed=0) is not None


def test_too_few_rows_give_no_split():
    assert inner_folds(samples(1), 3, seed=0) == []
    assert inner_holdout(samples(1), 0.2, seed=0) is None
    assert len(inner_folds(samples(2), 3, seed=0)) == 2
    same = torch.zeros(9, dtype=torch.int64)
    assert inner_folds(samples(9, groups=same), 3, seed=0) == []
    assert inner_holdout(samples(9, groups=same), 0.2, seed=0) is None
    assert inner_folds(samples(9, times=same.double()), 3, seed=0) == []


def test_one_row_a_class_and_one_class_a_group_can_be_set_aside():
    assert inner_holdout(samples(24, classes=24), 0.2, seed=0) is not None
    assert inner_holdout(samples(24, groups=torch.arange(24) % 2), 0.2, seed=0) is not None
