"""Pictures to denoise: what is added, what belongs together, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.signature import Image, Picture, Signature
from gradatim.core.source import ReadOptions
from gradatim.data.read import read
from gradatim.data.sources import SOURCES

SIGMA = 25.0


def grey(seed: int, height: int = 24, width: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


def pictures(folder: Path, *shapes: tuple[int, int]) -> Path:
    for number, shape in enumerate(shapes or [(24, 32), (40, 20), (17, 33)]):
        save(folder / f"{number}.png", grey(number, *shape))
    return folder


def options(**given: object) -> ReadOptions:
    return ReadOptions(**{"task": "denoise", "sigma": SIGMA, **given})


def coded(judged: bool = False, sigma: float | None = SIGMA, channels: int = 1) -> ReadOptions:
    image = Image(channels=channels, height=24, width=32, fit="pad")
    output = Picture(channels=channels, sigma=sigma)
    return ReadOptions(signature=Signature(input=image, output=output), judged=judged)


def test_clean_pictures_lie_on_canvases_under_noise(tmp_path):
    data = read(pictures(tmp_path), options())
    samples = data.samples
    assert data.signature.input == Image(channels=1, height=40, width=33, fit="pad")
    assert data.signature.output == Picture(channels=1, sigma=SIGMA)
    assert samples.sizes.tolist() == [[24, 32], [40, 20], [17, 33]]
    assert samples.inputs.dtype == samples.targets.dtype == torch.float32
    assert list(data.row_names) == ["0.png", "1.png", "2.png"]
    for row, (height, width) in enumerate(samples.sizes.tolist()):
        np.testing.assert_array_equal(
            samples.targets[row, 0, :height, :width], grey(row, height, width)
        )
        for planes in (samples.inputs, samples.targets):
            assert not planes[row, :, height:].any()
            assert not planes[row, :, :, width:].any()
    noise = (samples.inputs - samples.targets)[samples.targets > 0]
    assert noise.std().item() == pytest.approx(SIGMA, rel=0.1)
    assert samples.inputs.min() < 0
    assert samples.inputs.max() > 255


def test_noise_depends_on_the_name_of_a_picture_and_nothing_else(tmp_path):
    few = read(pictures(tmp_path / "a", (24, 32), (24, 32)), options()).samples
    many = read(pictures(tmp_path / "b", (24, 32), (24, 32), (50, 50)), options()).samples
    assert torch.equal(few.inputs, many.inputs[:2, :, :24, :32])
    noise = few.inputs - few.targets
    assert not torch.equal(noise[0], noise[1])


def test_noisy_targets_are_a_matter_of_training(tmp_path):
    """What scores are made from stays clean; `Denoise.renewed` makes the targets noisy."""
    usual = read(pictures(tmp_path), options())
    noisy = read(tmp_path, options(noisy_targets=True))
    assert noisy.signature.output == Picture(channels=1, sigma=SIGMA, noisy=True)
    assert torch.equal(noisy.samples.targets, usual.samples.targets)


def test_colours_are_kept_where_there_are_any(tmp_path):
    save(tmp_path / "0.png", grey(0))
    colour = np.stack([grey(1), grey(2), grey(3)], axis=-1)
    save(tmp_path / "1.png", colour)
    data = read(tmp_path, options())
    assert data.signature.input.channels == data.signature.outputs == 3
    np.testing.assert_array_equal(data.samples.targets[1], colour.transpose(2, 0, 1))
    save(tmp_path / "1.png", np.repeat(grey(1)[..., None], 3, axis=-1))
    assert read(tmp_path, options()).signature.input.channels == 1


def paired(folder: Path, first: str = "noisy", second: str = "clean", rows: int = 3) -> Path:
    for row in range(rows):
        save(folder / first / f"{row}.png", grey(row))
        save(folder / second / f"{row}.bmp", grey(row + 100))
    return folder


@pytest.mark.parametrize(
    ("first", "second"), [("noisy", "clean"), ("Input", "Target"), ("low", "high")]
)
def test_pairs_are_found_by_folder_and_stem(tmp_path, first, second):
    data = read(paired(tmp_path, first, second), options(sigma=None))
    assert data.signature.output == Picture(channels=1)
    np.testing.assert_array_equal(data.samples.inputs[1, 0], grey(1))
    np.testing.assert_array_equal(data.samples.targets[1, 0], grey(101))
    assert list(data.row_names) == [f"{first}/{row}.png" for row in range(3)]


def test_two_noisy_pictures_of_a_scene_teach_without_a_clean_one(tmp_path):
    paired(tmp_path, "noisy", "noisy2")
    data = read(tmp_path, options(sigma=None, noisy_targets=True))
    assert data.signature.output == Picture(channels=1, noisy=True)
    np.testing.assert_array_equal(data.samples.targets[2, 0], grey(102))
    with pytest.raises(ConfigError, match="--noisy-targets"):
        read(tmp_path, options(sigma=None))


def test_train_and_test_are_kept_apart(tmp_path):
    pictures(tmp_path / "train")
    pictures(tmp_path / "test", (24, 32), (20, 20))
    data = read(tmp_path, options())
    assert data.sealed.sum() == 2
    sealed = [name for name, kept in zip(data.row_names, data.sealed, strict=True) if kept]
    assert sealed == ["test/0.png", "test/1.png"]


def test_a_clean_test_part_judges_what_learnt_from_noisy_pairs(tmp_path):
    paired(tmp_path / "train", "noisy", "noisy2")
    paired(tmp_path / "test", "noisy", "clean", rows=2)
    paired(tmp_path / "test", "noisy2", "noisy2", rows=2)
    data = read(tmp_path, options(sigma=None, noisy_targets=True))
    assert data.sealed.tolist() == [True] * 2 + [False] * 3
    assert list(data.row_names[1:3]) == ["test/noisy/1.png", "train/noisy/0.png"]
    np.testing.assert_array_equal(data.samples.targets[1, 0], grey(101))
    np.testing.assert_array_equal(data.samples.targets[4, 0], grey(102))


def test_pictures_without_a_partner_are_left_out_and_listed(tmp_path):
    paired(tmp_path)
    (tmp_path / "clean" / "1.bmp").unlink()
    data = read(tmp_path, options(sigma=None))
    assert len(data) == 2
    (finding,) = [f for f in data.findings if f.code == "no-partner"]
    assert finding.rows == ("noisy/1.png",)


def test_a_broken_picture_is_left_out_with_its_partner(tmp_path):
    paired(tmp_path, rows=6)
    (tmp_path / "clean" / "2.bmp").write_bytes(b"BM no picture")
    data = read(tmp_path, options(sigma=None))
    assert len(data) == 5
    assert "noisy/2.png" not in data.row_names
    assert [f.rows for f in data.findings if f.code == "quarantined"] == [("noisy/2.png",)]


def test_a_model_predicts_from_noisy_pictures(tmp_path):
    pictures(tmp_path / "one")
    flat = read(tmp_path / "one", coded())
    assert len(flat.samples.targets) == 0
    np.testing.assert_array_equal(flat.samples.inputs[0, 0, :24, :32], grey(0))
    single = read(tmp_path / "one" / "1.png", coded())
    assert single.samples.sizes.tolist() == [[40, 20]]
    beside = read(paired(tmp_path / "two"), coded(sigma=None))
    assert list(beside.row_names) == [f"noisy/{row}.png" for row in range(3)]
    coloured = read(tmp_path / "one", coded(channels=3))
    assert coloured.samples.inputs.shape[1] == 3


def test_a_model_is_judged_on_clean_pictures_under_noise_or_on_pairs(tmp_path):
    judged = read(pictures(tmp_path / "clean pictures"), coded(judged=True))
    learnt = read(tmp_path / "clean pictures", options())
    assert torch.equal(judged.samples.inputs, learnt.samples.inputs)
    assert torch.equal(judged.samples.targets, learnt.samples.targets)
    pairs = read(paired(tmp_path / "pairs"), coded(judged=True))
    np.testing.assert_array_equal(pairs.samples.inputs[0, 0], grey(0))
    with pytest.raises(DataError, match="nothing to compare with"):
        read(tmp_path / "clean pictures", coded(judged=True, sigma=None))


@pytest.mark.parametrize("sigma", [0.0, -1.0, 255.5])
def test_a_deviation_outside_of_the_levels_is_refused(tmp_path, sigma):
    with pytest.raises(ConfigError, match="--sigma"):
        read(pictures(tmp_path), options(sigma=sigma))


def test_options_that_do_not_fit_are_refused(tmp_path):
    pictures(tmp_path / "clean ones")
    paired(tmp_path / "pairs")
    with pytest.raises(ConfigError, match="--sigma 25"):
        read(tmp_path / "clean ones", options(sigma=None))
    with pytest.raises(ConfigError, match="leave out --sigma"):
        read(tmp_path / "pairs", options())
    with pytest.raises(ConfigError, match="noisy2/"):
        read(tmp_path / "pairs", options(sigma=None, noisy_targets=True))
    with pytest.raises(ConfigError, match="no columns"):
        read(tmp_path / "clean ones", options(target="y"))


def test_pictures_that_cannot_be_used_are_refused_by_name(tmp_path):
    pictures(tmp_path / "small", (24, 32), (15, 40))
    with pytest.raises(DataError, match=r"1\.png.*16 pixels"):
        read(tmp_path / "small", options())
    paired(tmp_path / "uneven")
    save(tmp_path / "uneven" / "clean" / "1.bmp", grey(5, 24, 31))
    with pytest.raises(DataError, match=r"noisy/1\.png.*size"):
        read(tmp_path / "uneven", options(sigma=None))
    save(tmp_path / "strangers" / "noisy" / "a.png", grey(0))
    save(tmp_path / "strangers" / "clean" / "b.png", grey(0))
    with pytest.raises(DataError, match="partner"):
        read(tmp_path / "strangers", options(sigma=None))
    paired(tmp_path / "halves" / "train")
    pictures(tmp_path / "halves" / "test")
    with pytest.raises(DataError, match="arrange all parts alike"):
        read(tmp_path / "halves", options(sigma=None))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        read(tmp_path / "empty", options())
    with pytest.raises(DataError, match="one picture"):
        read(pictures(tmp_path / "one", (24, 32)), options())


def test_other_jobs_are_left_to_other_sources(tmp_path):
    pictures(tmp_path)
    source = SOURCES["noisy"]
    assert source.claims(str(tmp_path), options())
    assert not source.claims(str(tmp_path), ReadOptions())
    assert not source.claims(str(tmp_path), ReadOptions(task="classify"))
    others = [name for name, s in SOURCES.all().items() if s.claims(str(tmp_path), options())]
    assert others == ["noisy"]


def test_noise_is_for_pictures_to_denoise(tmp_path):
    with pytest.raises(ConfigError, match="--task denoise"):
        read(pictures(tmp_path), ReadOptions(sigma=SIGMA))
    with pytest.raises(ConfigError, match="--task denoise"):
        read("iris", ReadOptions(noisy_targets=True))
    with pytest.raises(ConfigError, match="asks to classify"):
        read("iris", options())
