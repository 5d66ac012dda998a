"""The features of a run: learnt once from training rows, read again with the same bits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gradatim.core.errors import CorruptError
from gradatim.core.samples import Dataset
from gradatim.core.signature import Signature, Synthesis
from gradatim.data.splits import partition
from gradatim.session.features import equipped, loaded_features, reequipped
from gradatim.tasks import TASKS
from gradatim.tasks.synthesise import TASK

from ..models.generative.crowds import SIGNATURE, bars  # noqa: TID252


def data(signature: Signature = SIGNATURE, rows: int = 240) -> Dataset:
    samples = bars(rows)
    if not signature.output.names:
        samples = replace(samples, targets=torch.zeros(rows, 1))
    return Dataset("bars", samples, signature, [str(i) for i in range(rows)], "0" * 64, "bars")


BARE = Signature(input=SIGNATURE.input, output=Synthesis(levels=17))


@pytest.mark.parametrize("signature", [SIGNATURE, BARE], ids=["with classes", "without"])
def test_features_come_back_from_the_folder_with_the_same_bits(tmp_path, signature):
    whole, split = partition(data(signature), 2, seed=0)
    task = equipped(TASK.of(signature), whole, split, tmp_path)
    unseen = whole.samples.take(split.test)
    entries = task.extract.entries(unseen.inputs)
    np.testing.assert_array_equal(loaded_features(tmp_path).entries(unseen.inputs), entries)
    again = reequipped(TASK.of(signature), tmp_path)
    np.testing.assert_array_equal(again.extract.entries(unseen.inputs), entries)
    assert np.isfinite(entries).all()
    assert len(task.extract.known) == len(split.training)


def test_the_classifier_knows_the_classes_of_unseen_rows(tmp_path):
    whole, split = partition(data(), 2, seed=0)
    task = equipped(TASK.of(SIGNATURE), whole, split, tmp_path)
    unseen = whole.samples.take(split.test)
    said = task.extract.entries(unseen.inputs)[:, -2]
    assert (said == unseen.targets.numpy()).mean() > 0.9
    drawn, real = task.read(unseen.inputs.numpy(), unseen)
    assert task.metrics["coverage"](drawn, real) == 1
    assert task.metrics["frechet"](drawn, real) == pytest.approx(0, abs=1e-3)
    assert real.shape[1] == 84 + 2


@pytest.mark.parametrize("signature", [SIGNATURE, BARE], ids=["with classes", "without"])
def test_rows_outside_of_the_training_part_change_no_byte(tmp_path, signature):
    whole, split = partition(data(signature), 2, seed=0)
    inputs = whole.samples.inputs.clone()
    inputs[split.test] = 16 - inputs[split.test]
    changed = replace(whole, samples=replace(whole.samples, inputs=inputs))
    for place, rows in (("honest", whole), ("changed", changed)):
        equipped(TASK.of(signature), rows, split, tmp_path / place)
    names = sorted(p.name for p in (tmp_path / "honest/features").iterdir())
    assert names
    for name in names:
        honest, other = (tmp_path / place / "features" / name for place in ("honest", "changed"))
        assert honest.read_bytes() == other.read_bytes(), name


def test_features_of_an_unfinished_run_are_not_learnt_again(tmp_path):
    whole, split = partition(data(BARE), 2, seed=0)
    equipped(TASK.of(BARE), whole, split, tmp_path)
    file = tmp_path / "features" / "principal.npz"
    stamp = file.stat().st_mtime_ns
    equipped(TASK.of(BARE), whole, split, tmp_path)
    assert file.stat().st_mtime_ns == stamp


def test_other_tasks_stay_as_they_are_and_missing_features_are_told(tmp_path):
    whole, split = partition(data(BARE), 2, seed=0)
    other = TASKS["classify"]
    assert equipped(other, whole, split, tmp_path) is other
    assert reequipped(other, tmp_path) is other
    assert not list(tmp_path.iterdir())
    with pytest.raises(CorruptError, match="features"):
        loaded_features(tmp_path)
