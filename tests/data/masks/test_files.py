"""Folders of pictures and masks: which belong together, what is refused, what is remarked."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.signature import Boxes, Category, Signature
from gradatim.core.source import ReadOptions
from gradatim.data.annotated import layouts_of
from gradatim.data.masks.pairs import has_pairs
from gradatim.data.read import read
from gradatim.data.sources.masks import SOURCE


def picture(folder: Path, name: str, size=(20, 30), seed: int = 0, channels: int = 3) -> None:
    shape = (*size, 3) if channels == 3 else size
    pixels = np.random.default_rng([seed, *name.encode()]).integers(0, 256, shape, np.uint8)
    save(folder, name, pixels)


def save(folder: Path, name: str, pixels) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


def half(size=(20, 30), low: int = 0, high: int = 255) -> np.ndarray:
    mask = np.full(size, low)
    mask[:, size[1] // 2 :] = high
    return mask


def data(folder: Path, pairs: Mapping[str, str]) -> str:
    for name, mask in pairs.items():
        picture(folder, name)
        save(folder, mask, half())
    return str(folder)


def read_masks(place: str | Path, **options):
    return read(f"masks:{place}", ReadOptions(**options))


LAYOUTS = {
    "image and label": {f"image/{i}.png": f"label/{i}.png" for i in range(3)},
    "images and masks": {f"images/{i}.jpg": f"masks/{i}.png" for i in range(3)},
    "img and mask": {f"img/{i}.png": f"mask/{i}.png" for i in range(3)},
    "voc": {f"JPEGImages/{i}.jpg": f"SegmentationClass/{i}.png" for i in range(3)},
    "parts above": {f"{p}/image/0.png": f"{p}/label/0.png" for p in ("train", "val", "test")},
    "parts below": {f"images/{p}/0.png": f"masks/{p}/0.png" for p in ("train", "val", "test")},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts(layout, tmp_path):
    place = data(tmp_path, layout)
    assert layouts_of(tmp_path) == {"masks"}
    dataset = read_masks(place)
    assert sorted(dataset.row_names) == sorted(layout)
    tests = [name for name in dataset.row_names if "test" in name]
    sealed = [] if dataset.sealed is None else dataset.sealed.nonzero().flatten().tolist()
    assert [dataset.row_names[row] for row in sealed] == tests
    assert dataset.signature.output.names == ("background", "foreground")
    assert dataset.samples.targets.dtype == torch.uint8
    np.testing.assert_array_equal(dataset.samples.targets[0], half() // 255)


def test_one_usual_name_is_enough_when_it_is_asked_for(tmp_path):
    place = data(tmp_path, {f"frames/{i}.png": f"masks/{i}.png" for i in range(3)})
    assert len(read_masks(place, task="segment")) == 3


def test_classes_in_folders_are_no_pairs(tmp_path):
    """Two classes whose pictures are numbered alike look like pictures and masks; names decide."""
    data(tmp_path, {f"cat/{i}.png": f"dog/{i}.png" for i in range(3)})
    assert not has_pairs(tmp_path)
    with pytest.raises(DataError, match="which folder holds the masks"):
        read_masks(tmp_path, task="segment")


def test_sizes_and_what_lies_outside(tmp_path):
    """Each picture stands in the upper left, unresized; beyond it the mask is ignored."""
    for number, size in enumerate([(20, 30), (25, 10), (20, 30)]):
        picture(tmp_path, f"images/{number}.png", size)
        save(tmp_path, f"masks/{number}.png", half(size))
    dataset = read_masks(tmp_path)
    samples, field = dataset.samples, dataset.signature.input
    assert (field.fit, field.height, field.width) == ("pad", 25, 30)
    assert samples.sizes.tolist() == [[20, 30], [25, 10], [20, 30]]
    own = np.asarray(Image.open(tmp_path / "images/1.png")).transpose(2, 0, 1)
    np.testing.assert_array_equal(samples.inputs[1, :, :25, :10], own)
    assert not samples.inputs[1, :, :, 10:].any()
    assert (samples.targets[1, :, 10:] == 255).all()
    assert (samples.targets[0, 20:] == 255).all()
    assert (samples.targets[1, :, :10] != 255).all()


def test_what_has_no_partner_is_told(tmp_path):
    place = data(tmp_path, {f"images/{n}.png": f"masks/{n}.png" for n in "abcd"})
    (tmp_path / "masks/a.png").unlink()
    (tmp_path / "images/b.png").unlink()
    dataset = read_masks(place)
    assert list(dataset.row_names) == ["images/c.png", "images/d.png"]
    alone = [finding.rows for finding in dataset.findings if finding.code == "unpaired"]
    assert alone == [("images/a.png",), ("masks/b.png",)]


def test_no_pair_at_all_is_refused(tmp_path):
    picture(tmp_path, "images/a.png")
    save(tmp_path, "masks/b.png", half())
    with pytest.raises(DataError, match="the same name up to the ending") as caught:
        read_masks(tmp_path)
    assert str(caught.value).count("\n") < 3


def test_two_masks_of_a_picture_are_refused(tmp_path):
    place = data(tmp_path, {"images/a.png": "masks/a.png"})
    save(tmp_path, "masks/a.bmp", half())
    with pytest.raises(DataError, match="masks of one name"):
        read_masks(place)


def test_a_mask_of_the_same_shape_is_resized_and_of_another_refused(tmp_path):
    place = data(tmp_path, {f"images/{n}.png": f"masks/{n}.png" for n in "ab"})
    save(tmp_path, "masks/a.png", half((10, 15)))
    dataset = read_masks(place)
    assert "resized-masks" in {finding.code for finding in dataset.findings}
    assert dataset.samples.targets[0].unique().tolist() == [0, 1]
    save(tmp_path, "masks/a.png", half((10, 30)))
    with pytest.raises(DataError, match=r"masks/a.png.* has 30 x 10 .*has 30 x 20"):
        read_masks(place)


def test_broken_files_are_set_apart_and_many_are_refused(tmp_path):
    place = data(tmp_path, {f"images/{i}.png": f"masks/{i}.png" for i in range(12)})
    (tmp_path / "masks/0.png").write_bytes(b"")
    (tmp_path / "images/1.png").write_bytes(b"no picture")
    dataset = read_masks(place)
    assert dataset.row_names[0] == "images/2.png"
    assert len(dataset.samples.inputs) == len(dataset.samples.targets) == 10
    assert len(dataset.samples.sizes) == 10
    assert [f.code for f in dataset.findings].count("quarantined") == 2
    for number in range(3, 6):
        (tmp_path / f"masks/{number}.png").write_bytes(b"")
    with pytest.raises(DataError, match="4 of 12 pictures cannot be used"):
        read_masks(place)


def test_odd_levels_are_ignored_when_few_and_refused_when_many(tmp_path):
    place = data(tmp_path, {f"{p}/images/a.png": f"{p}/masks/a.png" for p in ("train", "test")})
    many = half((60, 60))
    for part in ("train", "test"):
        picture(tmp_path, f"{part}/images/b.png", (60, 60))
        save(tmp_path, f"{part}/masks/b.png", many)
    many[0, 0] = 9
    save(tmp_path, "test/masks/b.png", many)
    dataset = read_masks(place)
    row = list(dataset.row_names).index("test/images/b.png")
    assert dataset.samples.targets[row, 0, 0] == 255
    assert "odd-levels" in {finding.code for finding in dataset.findings}
    save(tmp_path, "test/masks/b.png", np.where(many == 255, 77, many))
    with pytest.raises(DataError, match="holds level 77, which no class has"):
        read_masks(place)


def test_names_come_from_a_list(tmp_path):
    place = data(tmp_path, {f"images/{i}.png": f"masks/{i}.png" for i in range(2)})
    (tmp_path / "classes.txt").write_text("gap\nmembrane\n")
    assert read_masks(place).signature.output.names == ("gap", "membrane")


def test_grey_pictures_have_one_channel(tmp_path):
    for number in range(2):
        save(tmp_path, f"images/{number}.png", np.full((4, 4, 3), number))
        save(tmp_path, f"masks/{number}.png", half((4, 4)))
    assert read_masks(tmp_path).signature.input.channels == 1


def test_the_fingerprint_covers_the_masks(tmp_path):
    place = data(tmp_path, {f"images/{i}.png": f"masks/{i}.png" for i in range(2)})
    first = read_masks(place).fingerprint
    assert read_masks(place).fingerprint == first
    save(tmp_path, "masks/0.png", half()[:, ::-1])
    assert read_masks(place).fingerprint != first


def test_a_model_reads_pairs_and_plain_pictures(tmp_path):
    """Pairs are coded as the model has them; plain pictures have targets of no rows."""
    learnt = read_masks(data(tmp_path / "a", {f"images/{i}.png": f"masks/{i}.png" for i in "ab"}))
    options = ReadOptions(signature=learnt.signature)
    picture(tmp_path, "b/images/x.png", (40, 50))
    save(tmp_path, "b/masks/x.png", np.full((40, 50), 255))
    pairs = read(f"masks:{tmp_path / 'b'}", options)
    assert pairs.samples.targets.unique().tolist() == [1]
    assert (pairs.signature.input.height, pairs.signature.input.width) == (40, 50)
    for where in (tmp_path / "b/images", tmp_path / "b/images/x.png"):
        assert SOURCE.claims(os.fspath(where), options)
        plain = read(f"masks:{where}", options)
        assert len(plain.samples.targets) == 0
        assert plain.samples.inputs.equal(pairs.samples.inputs)
        assert plain.samples.sizes.tolist() == [[40, 50]]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"target": "y"}, "no columns"), ({"task": "detect"}, "--task is segment")],
)
def test_options_that_mean_nothing(options, words, tmp_path):
    place = data(tmp_path, {f"images/{i}.png": f"masks/{i}.png" for i in range(2)})
    with pytest.raises(ConfigError, match=words):
        read_masks(place, **options)


def test_a_model_of_something_else_is_refused(tmp_path):
    place = data(tmp_path, {f"images/{i}.png": f"masks/{i}.png" for i in range(2)})
    field = read_masks(place).signature.input
    for output in (Category(names=("a", "b")), Boxes(names=("a",))):
        with pytest.raises(DataError, match="answers with"):
            read_masks(place, signature=Signature(input=field, output=output))


def test_an_empty_folder_and_a_test_part_alone(tmp_path):
    with pytest.raises(DataError, match="holds no pictures"):
        read_masks(tmp_path)
    with pytest.raises(DataError, match="every usable pair is of the test part"):
        read_masks(data(tmp_path, {"test/images/a.png": "test/masks/a.png"}))


def test_membranes():
    """The set of the benchmark: 30 pictures of 512 x 512; a fifth of the pixels is membrane."""
    home = os.environ.get("GRADATIM_DATA")
    if not home:
        pytest.skip("no data: GRADATIM_DATA is not set")
    dataset = read_masks(f"{home}/membrane")
    assert dataset.samples.inputs.shape == (30, 1, 512, 512)
    assert dataset.signature.output.levels == ((0,), (255,))
    assert (dataset.samples.targets == 0).float().mean() == pytest.approx(0.22, abs=0.01)
    assert list(dataset.row_names)[9:11] == ["image/9.png", "image/10.png"]
