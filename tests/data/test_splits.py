"""How many folds the rows allow."""

import pytest
import torch

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Category, Column, Signature, Table
from gradatim.data.splits import partition


def spoken(speakers: int) -> Dataset:
    """Twelve rows of each speaker, two classes."""
    rows = 12 * speakers
    table = Table(columns=(Column(name="x", kind="numeric"),))
    signature = Signature(input=table, output=Category(names=("a", "b")))
    numbers = torch.arange(rows, dtype=torch.float64)[:, None]
    samples = Samples(numbers, torch.arange(rows) % 2, torch.arange(rows) // 12)
    return Dataset("spoken", samples, signature, [str(row) for row in range(rows)], "", "")


def test_fewer_groups_than_folds_lower_the_folds_and_say_so():
    """Of four speakers one is sealed, and each of three is left out once."""
    data, split = partition(spoken(4), folds=5)
    assert len(split.folds) == 3
    found = [finding for finding in data.findings if finding.code == "fewer-folds"]
    assert [finding.message for finding in found] == [
        "there are 3 groups to learn from, so 3 folds are used, not 5"
    ]
    for fold in split.folds:
        left_out = data.samples.groups[fold.validation].unique()
        assert len(left_out) == 1
        assert left_out.item() not in data.samples.groups[fold.training]


def test_enough_groups_change_nothing():
    data, split = partition(spoken(6), folds=5)
    assert len(split.folds) == 5
    assert data.findings == ()


def test_a_single_group_to_learn_from_is_no_comparison():
    with pytest.raises(DataError, match="cannot be split"):
        partition(spoken(2))
