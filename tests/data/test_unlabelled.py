"""Data without right answers: levels of pictures, grids of columns, and a fitted model's way."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image as Pillow
from sklearn.datasets import load_digits

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.signature import Density, Synthesis
from gradatim.core.source import ReadOptions
from gradatim.data.read import read
from gradatim.data.unlabelled import grain_of, levels_of

DENSITY = ReadOptions(task="density")


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "price": [1.25, 2.5, 10.0, 3.75],
            "rooms": [1, 4, 2, 7],
            "colour": ["red", "blue", "red", "red"],
            "age": [1.0, np.nan, 3.0, 4.0],
            "x": [0.1234567891, np.pi, np.e, 2**0.5],
        }
    )


def test_bundled_digits_get_their_seventeen_levels_back():
    data = read("digits", DENSITY)
    levels = load_digits().images.astype(np.uint8)[:, None]
    np.testing.assert_array_equal(data.samples.inputs.numpy(), levels)
    assert data.signature.output == Density(grains=(1.0,), levels=17)
    assert data.samples.targets.shape == (1797, 1)


def test_synthesis_keeps_the_classes():
    data = read("digits", ReadOptions(task="synthesise"))
    assert data.signature.output == Synthesis(names=tuple("0123456789"), levels=17)
    np.testing.assert_array_equal(data.samples.targets.numpy(), load_digits().target)


@pytest.mark.parametrize("task", ["density", "synthesise"])
@pytest.mark.parametrize("where", ["digits", "iris"])
def test_a_fitted_model_reads_the_same_rows(where, task):
    data = read(where, ReadOptions(task=task))
    again = read(where, ReadOptions(signature=data.signature, judged=True))
    assert again.signature == data.signature
    assert torch.equal(again.samples.inputs, data.samples.inputs)
    assert len(again.samples.targets) == len(data)


def test_columns_of_numbers_stay_and_know_their_grain(frame):
    data = read(frame, DENSITY)
    assert [column.name for column in data.signature.input.columns] == ["price", "rooms", "x"]
    assert data.signature.output.grains == (1.25, 1.0, 0.0)
    (finding,) = [f for f in data.findings if f.code == "left-out"]
    assert '"colour"' in finding.message
    assert '"age"' in finding.message


def test_a_target_is_left_out_where_one_is_named(frame):
    data = read(frame, ReadOptions(task="density", target="rooms"))
    assert [column.name for column in data.signature.input.columns] == ["price", "x"]


def test_a_missing_cell_is_refused_by_a_model_that_reads_whole_rows(frame):
    signature = read(frame, DENSITY).signature
    frame.loc[2, "x"] = np.nan
    with pytest.raises(DataError, match=r"2: a cell is missing"):
        read(frame, ReadOptions(signature=signature))


def test_nothing_but_words_has_no_density():
    with pytest.raises(DataError, match="no column of numbers"):
        read(pd.DataFrame({"name": ["a", "b", "c", "a"]}), DENSITY)


def test_sequences_are_refused():
    with pytest.raises(ConfigError, match="tables and pictures"):
        read((np.random.default_rng(0).normal(size=(30, 5, 2)), np.arange(30) % 2), DENSITY)


def test_pictures_need_no_classes(tmp_path):
    chance = np.random.default_rng(0)
    for number in range(4):
        picture = chance.integers(0, 256, (6, 6), dtype=np.uint8)
        Pillow.fromarray(picture).save(tmp_path / f"{number}.png")
    data = read(str(tmp_path), DENSITY)
    assert data.samples.inputs.shape == (4, 1, 6, 6)
    assert data.signature.output == Density(grains=(1.0,), levels=256)
    again = read(str(tmp_path / "2.png"), ReadOptions(signature=data.signature))
    assert torch.equal(again.samples.inputs[0], data.samples.inputs[2])


def test_arrays_need_no_targets():
    x = np.random.default_rng(0).normal(size=(40, 3))
    assert read(x, DENSITY).signature.output.grains == (0.0, 0.0, 0.0)
    with pytest.raises(ConfigError, match="no targets"):
        read(x)


@pytest.mark.parametrize("levels", [2, 3, 4, 16, 17, 64, 100])
def test_few_levels_are_found(levels):
    coded = np.rint(np.arange(levels) * 255 / (levels - 1)).astype(np.uint8)
    assert levels_of(torch.from_numpy(coded)) == levels


def test_many_levels_are_256():
    assert levels_of(torch.arange(256).to(torch.uint8)) == 256
    assert levels_of(torch.tensor([0, 1, 2, 255], dtype=torch.uint8)) == 256


@pytest.mark.parametrize(
    ("values", "grain"),
    [
        ([0, 2, 5], 1.0),
        ([0, 2, 6], 2.0),
        ([540.0, 332.5, 198.6, 0.0], 0.1),
        ([1e-3, 5e-3, 0.5], 1e-3),
        ([7.0, 7.0], 0.0),
        ([0.0, 1e-9], 0.0),
        ([0.0, 1e12], 0.0),
    ],
)
def test_the_grain_is_the_largest_step_that_fits(values, grain):
    assert grain_of(np.array(values, np.float64)) == pytest.approx(grain, rel=1e-12)
