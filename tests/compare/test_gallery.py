"""What a climb keeps to be looked at: rows worth seeing, small enough, by their right numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.compare.gallery import keep_evidence, keep_gallery
from gradatim.compare.side_by_side import Kept, keep_side_by_side, middle, smaller
from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Category, Image, Mask, Picture, Signature, Sound
from gradatim.data.splits import Fold, Partition
from gradatim.evaluate.answers import keep_answers
from gradatim.runs.files import read_array, read_json, write_array
from gradatim.tasks import TASKS

ROWS = 12
GRID = np.arange(ROWS)


def _masks(height: int = 8, width: int = 6) -> Dataset:
    image = Image(channels=1, height=height, width=width, fit="pad")
    signature = Signature(input=image, output=Mask(names=("a", "b")))
    targets = torch.zeros(ROWS, height, width, dtype=torch.uint8)
    targets[:, : height // 2] = 1
    inputs = torch.arange(ROWS, dtype=torch.uint8)[:, None, None, None].repeat(1, 1, height, width)
    sizes = torch.tensor([[height, width - row % 2] for row in range(ROWS)])
    samples = Samples(inputs, targets, sizes=sizes)
    return Dataset("masks", samples, signature, [f"m{r}" for r in range(ROWS)], "f", "masks")


def _split(repeats: int = 1) -> Partition:
    folds = [
        Fold(r, f, GRID[(GRID + f) % 2 > 0], GRID[(GRID + f) % 2 < 1])
        for r in range(repeats)
        for f in (0, 1)
    ]
    return Partition(GRID, np.array([], np.int64), tuple(folds))


def _answer(
    folder: Path, data: Dataset, split: Partition, rung: str, errors: Sequence[int]
) -> None:
    """Write a rung's answers: row r has `errors[r]` wrong pixels."""
    task = TASKS["segment"].of(data.signature)
    for fold in split.folds:
        checked = data.samples.take(fold.validation)
        said = checked.targets.numpy().copy()
        for place, row in enumerate(fold.validation):
            wrong = said[place].reshape(-1)
            # In the first columns: what is beyond the size of a row does not count.
            where = np.flatnonzero(np.arange(wrong.size) % said.shape[2] < 5)[: errors[row]]
            wrong[where] = 1 - wrong[where]
        quality = task.quality(task.read(said, checked))
        keep_answers(folder / "fits" / rung / fold.name, checked, said, quality)


def _kept(folder: Path) -> dict[int, dict[str, object]]:
    return {row["row"]: row for row in read_json(folder / "gallery.json")["side_by_side"]["rows"]}


def test_rows_that_gain_most_and_the_worst_are_kept(tmp_path: Path) -> None:
    data, split = _masks(), _split()
    # Over low, row 3 gains most, then row 8; over mid, row 5; the worst of top is row 10.
    low, mid, top = ([4] * ROWS for _ in range(3))
    top = [1] * ROWS
    top[10] = 12
    low[3], low[8], mid[5] = 16, 14, 20
    for rung, errors in (("low", low), ("mid", mid), ("top", top)):
        _answer(tmp_path, data, split, rung, errors)
    task = TASKS["segment"].of(data.signature)
    keep_gallery(tmp_path, data, split, ["low", "mid", "top"], "top", task)
    kept = _kept(tmp_path)
    assert list(kept)[:2] == [3, 8]
    assert [row["why"] for row in kept.values()] == [
        *["gains most over low"] * 2,
        *["gains most over mid"] * 2,
        *["among the worst of top"] * 2,
    ]
    assert list(kept)[2] == 5
    assert list(kept)[4] == 10
    quality = kept[3]["quality"]
    assert quality["top"] > quality["mid"] > quality["low"]
    assert read_json(tmp_path / "gallery.json")["side_by_side"]["measure"] == "mean IoU"


def test_pictures_are_those_of_the_row(tmp_path: Path) -> None:
    data, split = _masks(), _split()
    _answer(tmp_path, data, split, "low", [6] * ROWS)
    _answer(tmp_path, data, split, "top", [0] * ROWS)
    task = TASKS["segment"].of(data.signature)
    keep_gallery(tmp_path, data, split, ["low", "top"], "top", task)
    stored = read_array(tmp_path / "gallery.npz")
    assert len(_kept(tmp_path)) == 6
    for row in _kept(tmp_path):
        sample = data.samples.take([row])
        assert (stored[f"{row}/input"] == row).all()
        assert stored[f"{row}/input"].shape == (1, 8, 6 - row % 2)
        np.testing.assert_array_equal(stored[f"{row}/truth"], task.picture(sample, None))
        np.testing.assert_array_equal(
            stored[f"{row}/top"], task.picture(sample, sample.targets.numpy())
        )
        assert (stored[f"{row}/low"] != stored[f"{row}/top"]).any()


def test_the_first_rung_has_only_its_worst(tmp_path: Path) -> None:
    data, split = _masks(), _split(repeats=2)
    _answer(tmp_path, data, split, "low", list(range(ROWS)))
    _answer(tmp_path, data, split, "top", [20] * ROWS)
    task = TASKS["segment"].of(data.signature)
    keep_gallery(tmp_path, data, split, ["low", "top"], "low", task)
    kept = _kept(tmp_path)
    every = [read_array(tmp_path / "fits/low" / f.name / "quality.npy") for f in split.folds[:2]]
    shown = [row["quality"]["low"] for row in kept.values()]
    assert shown == sorted(np.concatenate(every))[:6]
    assert {row["why"] for row in kept.values()} == {"among the worst of low"}


def test_a_quality_that_is_not_defined_is_left_out(tmp_path: Path) -> None:
    data, split = _masks(), _split()
    data.samples.targets[4] = 255
    _answer(tmp_path, data, split, "low", [6] * ROWS)
    _answer(tmp_path, data, split, "top", [1] * ROWS)
    task = TASKS["segment"].of(data.signature)
    keep_gallery(tmp_path, data, split, ["low", "top"], "top", task)
    assert 4 not in _kept(tmp_path)


def test_a_single_rung_on_test_rows_of_thinned_data(tmp_path: Path) -> None:
    """Files name rows by their numbers in the whole data; the gallery by their place."""
    whole = _masks()
    data = Dataset(
        *("masks", whole.samples.take(GRID[2:]), whole.signature),
        *([f"m{r}" for r in range(2, ROWS)], "f", "masks"),
    )
    rows = np.array([1, 3, 6])
    task = TASKS["segment"].of(data.signature)
    samples = data.samples.take(rows)
    said = samples.targets.numpy()
    write_array(tmp_path / "test_rows.npy", rows)
    keep_answers(tmp_path, samples, said, task.quality(task.read(said, samples)), "test_")
    kept = Kept.of_test(tmp_path, "only", data.samples)
    keep_side_by_side(tmp_path, kept, "only", data, task)
    assert sorted(_kept(tmp_path)) == [1, 3, 6]
    stored = read_array(tmp_path / "gallery.npz")
    assert (stored["3/input"] == 5).all()  # the sixth picture of the whole data


def test_a_picture_without_noise_is_cut_not_shrunk(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clean = torch.full((ROWS, 1, 300, 280), 128.0)
    noisy = clean + torch.from_numpy(rng.normal(0, 25, clean.shape)).float()
    image = Image(channels=1, height=300, width=280, fit="pad")
    signature = Signature(input=image, output=Picture(channels=1, sigma=25.0))
    samples = Samples(noisy, clean, sizes=torch.tensor([[300, 280]] * ROWS))
    data = Dataset("noise", samples, signature, [str(r) for r in range(ROWS)], "f", "noise")
    split, task = _split(), TASKS["denoise"].of(signature)
    for fold in split.folds:
        checked = samples.take(fold.validation)
        said = checked.inputs.numpy()
        quality = task.quality(task.read(said, checked))
        keep_answers(tmp_path / "fits" / "as_it_is" / fold.name, checked, said, quality)
    keep_gallery(tmp_path, data, split, ["as_it_is"], "as_it_is", task)
    stored = read_array(tmp_path / "gallery.npz")
    row = next(iter(_kept(tmp_path)))
    shown = stored[f"{row}/input"]
    assert shown.shape == (1, 256, 256)
    assert 23 < shown.std() < 27
    levels = noisy[row, :, 22:278, 12:268].round().clamp(0, 255)
    np.testing.assert_array_equal(shown, levels.to(torch.uint8).numpy())


@pytest.mark.parametrize("shape", [(1, 100, 50), (3, 512, 256), (1, 300, 1000)])
def test_smaller_keeps_shape_and_mean(shape: tuple[int, int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    made = smaller(picture, 256)
    assert max(made.shape[1:]) == min(256, max(shape[1:]))
    assert made.shape[1] / made.shape[2] == pytest.approx(shape[1] / shape[2], rel=0.02)
    assert made.mean() == pytest.approx(picture.mean(), abs=1)


def test_smaller_is_the_mean_of_blocks() -> None:
    picture = np.array([[[0, 4, 8, 8], [4, 8, 8, 8]]], np.uint8)
    np.testing.assert_array_equal(smaller(picture, 2), [[[4, 8]]])


def test_middle_of_a_small_picture_is_the_picture() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    np.testing.assert_array_equal(middle(picture, 5), picture)
    np.testing.assert_array_equal(middle(picture, 2), [[[1, 2], [5, 6]]])


def test_evidence_of_masks_has_no_targets(tmp_path: Path) -> None:
    keep_evidence(tmp_path, _masks(), _split())
    assert not (tmp_path / "targets.npy").exists()
    assert read_json(tmp_path / "rows.json") == {"names": [f"m{r}" for r in range(ROWS)]}


@pytest.mark.parametrize(
    ("names", "kept"), [(("ann", "bob"), True), ((), False), (("ann",), False)]
)
def test_groups_are_kept_when_they_have_names(
    tmp_path: Path, names: tuple[str, ...], kept: bool
) -> None:
    image = Image(channels=1, height=2, width=2)
    signature = Signature(input=image, output=Category(names=("no", "yes")))
    samples = Samples(
        torch.zeros(ROWS, 1, 2, 2, dtype=torch.uint8),
        torch.arange(ROWS) % 2,
        torch.arange(ROWS) // 6,
    )
    rows = [str(r) for r in range(ROWS)]
    data = Dataset("voices", samples, signature, rows, "f", "v", group_names=names)
    keep_evidence(tmp_path, data, _split())
    told = read_json(tmp_path / "rows.json")
    assert ("groups" in told) == kept
    if kept:
        assert told["groups"] == [0] * 6 + [1] * 6
        assert told["group_names"] == ["ann", "bob"]
    assert told["targets"] == ["no", "yes"] * 6


def _classes(folder: Path, data: Dataset, split: Partition, rung: str, sure: np.ndarray) -> None:
    """Write the probability of the truth, of two classes."""
    targets = data.samples.targets.numpy()
    for fold in split.folds:
        truth, p = targets[fold.validation], sure[fold.validation]
        said = np.where(truth[:, None] == np.arange(2), p[:, None], 1 - p[:, None])
        write_array(folder / "fits" / rung / fold.name / "predictions.npy", said)


def _many(rows: int, inputs: torch.Tensor, field: Image | Sound) -> tuple[Dataset, Partition]:
    signature = Signature(input=field, output=Category(names=("no", "yes")))
    samples = Samples(inputs, torch.arange(rows) % 2)
    data = Dataset("many", samples, signature, [str(r) for r in range(rows)], "f", "many")
    grid = np.arange(rows)
    halves = grid % 4 < 2
    folds = (Fold(0, 0, grid[halves], grid[~halves]), Fold(0, 1, grid[~halves], grid[halves]))
    return data, Partition(grid, np.array([], np.int64), folds)


def test_rows_that_were_fixed_and_broken_are_kept(tmp_path: Path) -> None:
    """Nearer to the truth is not yet right: probabilities of other rows change more."""
    rows = 400
    inputs = torch.zeros(rows, 1, 2, 2, dtype=torch.uint8)
    data, split = _many(rows, inputs, Image(channels=1, height=2, width=2))
    below, now = np.full(rows, 0.55), np.full(rows, 0.95)
    below[100:300], now[100:300] = 0.95, 0.55
    below[[7, 8]], now[[7, 8]] = 0.49, 0.51  # fixed
    below[[11, 12]], now[[11, 12]] = 0.51, 0.49  # broken
    now[200:300] = 0.01  # so wrong that they are shown as mistakes
    below[200:300] = 0.02
    _classes(tmp_path, data, split, "low", below)
    _classes(tmp_path, data, split, "top", now)
    task = TASKS["classify"]
    keep_gallery(tmp_path, data, split, ["low", "top"], "top", task)
    assert {7, 8, 11, 12} <= set(read_array(tmp_path / "gallery.npz")["rows"].tolist())


def test_recordings_are_kept_as_spectrograms_that_they_fill(tmp_path: Path) -> None:
    rows, rate, length = 8, 8000, 4000
    time = torch.arange(length) / rate
    tones = torch.stack([torch.sin(2 * torch.pi * (500 + 400 * row) * time) for row in range(rows)])
    recordings = (20_000 * tones).to(torch.int16)
    recordings[1, 2000:] = 0
    data, split = _many(rows, recordings, Sound(rate=rate, length=length))
    _classes(tmp_path, data, split, "only", np.linspace(0.1, 0.9, rows))
    keep_gallery(tmp_path, data, split, ["only"], "only", TASKS["classify"])
    kept = read_array(tmp_path / "gallery.npz")
    pictures = dict(zip(kept["rows"].tolist(), kept["spectrograms"], strict=True))
    assert len(pictures) == rows
    assert pictures[0].shape == (1, 64, 96)
    assert pictures[0].dtype == np.uint8
    brightest = [int(pictures[row][0, :, 40].argmax()) for row in range(rows)]
    assert brightest == sorted(brightest, reverse=True), "higher tones are further up"
    assert pictures[1][0, :, 90].max() > 200, "silence after the end is not drawn"
