"""What a climb keeps of text, translations, new pictures, densities and games."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.compare.gallery import KEEPERS, keep_gallery, keep_test_gallery
from gradatim.compare.rows import bright
from gradatim.core.jobs import JOBS
from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import (
    Actions,
    Column,
    Continuation,
    Density,
    Game,
    Image,
    InputField,
    OutputField,
    Signature,
    Synthesis,
    Table,
    Text,
    Translation,
)
from gradatim.data.splits import Fold, Partition
from gradatim.evaluate.answers import keep_answers
from gradatim.ops.text.characters import coded
from gradatim.runs.files import read_array, read_json, write_array

ROWS = 12
GRID = np.arange(ROWS)
FOLDS = tuple(Fold(0, f, GRID[f != GRID % 2], GRID[f == GRID % 2]) for f in (0, 1))
SPLIT = Partition(GRID, np.array([], np.int64), FOLDS)


class Telling:
    """What a gallery asks of a task."""

    quality_name = "goodness"

    def text(self, sample: Samples, prediction: np.ndarray | None) -> str:
        return "truth of " + str(sample.numbers.tolist()) if prediction is None else str(prediction)


TASK = Telling()


def _data(inputs: torch.Tensor, targets: torch.Tensor, field: InputField, output: OutputField):
    signature = Signature(input=field, output=output)
    names = [f"n{row}" for row in range(ROWS)]
    return Dataset("few", Samples(inputs, targets), signature, names, "f", "few")


def _answer(folder: Path, data: Dataset, rung: str, said: np.ndarray, quality: np.ndarray) -> None:
    for fold in FOLDS:
        rows = fold.validation
        home = folder / "fits" / rung / fold.name
        keep_answers(home, data.samples.take(rows), said[rows], quality[rows].astype(np.float64))


def _text() -> Dataset:
    texts = [("ab\U0001f600\n" * 200)[: 3 + 40 * row] for row in range(ROWS)]
    alphabet = "\nab"
    codes = coded(texts, alphabet)
    field = Text(length=codes.shape[1], alphabet=alphabet)
    return _data(codes, codes, field, Continuation())


def test_every_kind_of_answer_has_a_keeper() -> None:
    assert set(KEEPERS) == set(JOBS) - {"category", "quantity"}


def test_passages_have_the_nats_of_each_of_their_characters(tmp_path: Path) -> None:
    data = _text()
    shape = tuple(data.samples.inputs.shape)
    place = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
    for k, rung in enumerate(("ngram", "lstm")):
        _answer(tmp_path, data, rung, place + k, -GRID.astype(float) + k * GRID / 2)
    keep_gallery(tmp_path, data, SPLIT, ["ngram", "lstm"], "lstm", TASK)
    told = read_json(tmp_path / "gallery.json")
    kept = read_array(tmp_path / "gallery.npz")
    assert told["measure"] == "goodness"
    rows = {row["row"]: row for row in told["passages"]}
    assert next(row["why"] for row in told["passages"]) == "gains most over ngram"
    assert next(iter(rows)) == 11
    for row, one in rows.items():
        length = min(3 + 40 * row, 400)
        assert len(one["text"]) == length
        assert one["text"].startswith("ab\N{REPLACEMENT CHARACTER}")
        np.testing.assert_array_equal(kept[f"{row}/lstm"], place[row, :length] + 1)
        assert one["quality"] == {"ngram": -row, "lstm": -row / 2}


def test_sentences_stand_beside_their_source(tmp_path: Path) -> None:
    sources = coded([f"a{'b' * row}" for row in range(ROWS)], "ab")
    output = Translation(length=1, alphabet="x")
    data = _data(sources, sources[:, :1], Text(length=12, alphabet="ab"), output)
    for rung, better in (("ibm1", 0.0), ("translator", 5.0)):
        said = np.array([f"{rung} says {row}" for row in range(ROWS)])
        _answer(tmp_path, data, rung, said, GRID + better * (GRID == 7))
    keep_gallery(tmp_path, data, SPLIT, ["ibm1", "translator"], "translator", TASK)
    first, *others = read_json(tmp_path / "gallery.json")["sentences"]
    assert first == {
        "row": 7,
        "why": "gains most over ibm1",
        "source": "abbbbbbb",
        "reference": "truth of [7]",
        "said": {"ibm1": "ibm1 says 7", "translator": "translator says 7"},
        "quality": {"ibm1": 7.0, "translator": 12.0},
    }
    assert [row["row"] for row in others] == [0, 1, 2, 3, 4, 5, 6, 8]
    assert not (tmp_path / "gallery.npz").exists()


def _pictures(output: OutputField, levels: int) -> Dataset:
    pictures = (torch.arange(ROWS)[:, None, None, None] % levels).repeat(1, 1, 4, 4)
    pictures[0] = levels - 1
    image = Image(channels=1, height=4, width=4)
    return _data(pictures.to(torch.uint8), torch.zeros(ROWS, 1), image, output)


@pytest.mark.parametrize(("levels", "factor"), [(256, 1.0), (17, 255 / 16)])
def test_drawn_pictures_stand_beside_real_ones(tmp_path: Path, levels: int, factor: float) -> None:
    data = _pictures(Synthesis(levels=levels), levels)
    said = 255 - data.samples.inputs.numpy() if levels == 256 else data.samples.inputs.numpy()
    _answer(tmp_path, data, "gaussian", said, -GRID)
    keep_gallery(tmp_path, data, SPLIT, ["gaussian"], "gaussian", TASK)
    kept = read_array(tmp_path / "gallery.npz")
    assert set(kept) == {"real", "drawn/gaussian"}
    seen = np.rint(data.samples.inputs.numpy() * factor)
    np.testing.assert_array_equal(kept["real"], seen)
    np.testing.assert_array_equal(kept["drawn/gaussian"], np.rint(said * factor))
    assert read_json(tmp_path / "gallery.json") == {"measure": "goodness"}


def test_bright_leaves_full_pictures_and_flat_ones_alone() -> None:
    picture = np.array([0, 3], np.uint8)
    assert bright(picture, 256) is picture
    assert bright(picture, 1) is picture
    assert bright(picture, 4).tolist() == [0, 255]


def test_the_ends_of_a_density_are_kept(tmp_path: Path) -> None:
    rows = 40
    table = Table(columns=(Column(name="x", kind="numeric"),))
    signature = Signature(input=table, output=Density())
    samples = Samples(torch.arange(rows).double()[:, None], torch.zeros(rows, 1))
    data = Dataset("many", samples, signature, [str(r) for r in range(rows)], "f", "many")
    grid = np.arange(rows)
    fold = Fold(0, 0, grid[1::2], grid[::2])  # odd rows are asked by nobody
    for rung, sign in (("gaussian", -1.0), ("spline_flow", 1.0)):
        home = tmp_path / "fits" / rung / fold.name
        nats = sign * grid[::2].astype(np.float64)
        keep_answers(home, samples.take(fold.validation), nats, nats)
    split = Partition(grid, np.array([], np.int64), (fold,))
    keep_gallery(tmp_path, data, split, ["gaussian", "spline_flow"], "spline_flow", TASK)
    told = read_json(tmp_path / "gallery.json")
    assert [row["row"] for row in told["extremes"]["least"]] == list(range(0, 24, 2))
    assert [row["row"] for row in told["extremes"]["most"]] == list(range(38, 22, -2))
    assert told["extremes"]["least"][1]["quality"] == {"gaussian": -2.0, "spline_flow": 2.0}
    assert told["columns"] == ["x"]
    assert told["cells"]["38"] == ["38"]


def test_likely_pictures_are_kept_to_be_looked_at(tmp_path: Path) -> None:
    data = _pictures(Density(grains=(1.0,)), 17)
    _answer(tmp_path, data, "pca", -GRID.astype(np.float32), -GRID)
    keep_gallery(tmp_path, data, SPLIT, ["pca"], "pca", TASK)
    kept = read_array(tmp_path / "gallery.npz")
    assert kept["rows"].tolist() == GRID.tolist()
    assert kept["pictures"][0].max() == 255
    assert next(r["row"] for r in read_json(tmp_path / "gallery.json")["extremes"]["least"]) == 11


def test_of_games_the_measure_is_kept(tmp_path: Path) -> None:
    game, output = Game(name="x", shape=(4,)), Actions(names=("left", "right"))
    data = _data(torch.arange(ROWS)[:, None], torch.zeros(ROWS, 1), game, output)
    _answer(tmp_path, data, "dqn", GRID.astype(np.float64), GRID)
    keep_gallery(tmp_path, data, SPLIT, ["dqn"], "dqn", TASK)
    assert read_json(tmp_path / "gallery.json") == {"measure": "goodness"}


def test_a_single_rung_on_test_rows_keeps_its_sentences(tmp_path: Path) -> None:
    sources = coded(["a" * (row + 1) for row in range(ROWS)], "a")
    field, output = Text(length=12, alphabet="a"), Translation(length=1, alphabet="x")
    data = _data(sources, sources[:, :1], field, output)
    rows = np.array([2, 5])
    write_array(tmp_path / "test_rows.npy", rows)
    said = np.array(["two", "five"])
    keep_answers(tmp_path, data.samples.take(rows), said, np.array([1.0, 0.0]), "test_")
    keep_test_gallery(tmp_path, data, "translator", TASK)
    kept = {r["row"]: r["said"] for r in read_json(tmp_path / "gallery.json")["sentences"]}
    assert kept == {5: {"translator": "five"}, 2: {"translator": "two"}}


@pytest.mark.parametrize(("side", "shown"), [(8, 24), (100, 10), (400, 6)])
def test_more_small_rows_are_kept_than_large_ones(tmp_path: Path, side: int, shown: int) -> None:
    """Whatever the size of the answers, for every rung must show the same rows."""
    rows = 50
    samples = Samples(torch.zeros(rows, side, side, dtype=torch.uint8), torch.zeros(rows, 1))
    for rung, length in (("short", 1), ("long", 5000)):
        said = np.array(["x" * length] * rows)
        keep_answers(tmp_path / rung, samples, said, np.zeros(rows))
        kept = read_array(tmp_path / rung / "shown.npz")
        assert len(kept["rows"]) == shown
        assert kept["rows"][[0, -1]].tolist() == [0, 49]
        assert len(read_array(tmp_path / rung / "quality.npy")) == rows
