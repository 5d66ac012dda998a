"""What `predict --out FOLDER` writes, and where; and that it writes nowhere else."""

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Boxes, Category, Image, Mask, OutputField, Picture, Signature
from gradatim.data.boxes.yolo import yolo_txt
from gradatim.session.asked_pictures import safe_places
from gradatim.session.handing_over import box_table, check_way, hand_over

NAMES = ("red cell", "platelet")


def _data(
    output: OutputField, inputs: np.ndarray, names: Sequence[str], source: str, sizes: Any = None
) -> Dataset:
    _, channels, height, width = inputs.shape
    fit = "squeeze" if sizes is None else "pad"
    signature = Signature(
        input=Image(channels=channels, height=height, width=width, fit=fit), output=output
    )
    sizes = None if sizes is None else torch.tensor(sizes)
    samples = Samples(torch.from_numpy(inputs), torch.empty(0, 1), sizes=sizes)
    return Dataset("new", samples, signature, list(names), "f" * 64, source)


def _opened(path: Path) -> np.ndarray:
    with Pillow.open(path) as image:
        return np.asarray(image)


def test_pictures_keep_their_size_and_are_clipped_and_rounded(tmp_path: Path) -> None:
    said = np.zeros((2, 1, 4, 5), np.float32)
    said[0, 0, :2, :3] = [[-3.0, 0.4, 0.6], [99.5001, 254.7, 300.0]]
    said[1, 0] = 7
    data = _data(
        *(Picture(channels=1), np.zeros((2, 1, 4, 5), np.float32)),
        *(["a/b.png", "c.jpg"], "noisy", [[2, 3], [4, 5]]),
    )
    written = hand_over(data, said, tmp_path / "out")
    assert written == [PurePosixPath("a/b.png"), PurePosixPath("c.png")]
    expected = [[0, 0, 1], [100, 255, 255]]
    np.testing.assert_array_equal(_opened(tmp_path / "out" / "a" / "b.png"), expected)
    assert (_opened(tmp_path / "out" / "c.png") == 7).all()
    assert _opened(tmp_path / "out" / "c.png").shape == (4, 5)


def test_coloured_pictures_keep_their_channels(tmp_path: Path) -> None:
    said = np.arange(3, dtype=np.float32)[None, :, None, None].repeat(4, 2).repeat(5, 3)
    data = _data(Picture(channels=3), said, ["x.png"], "noisy", [[4, 5]])
    hand_over(data, said, tmp_path)
    assert _opened(tmp_path / "x.png")[0, 0].tolist() == [0, 1, 2]


def test_masks_are_written_in_the_levels_of_the_data(tmp_path: Path) -> None:
    said = np.array([[[0, 1, 1], [1, 0, 9]]], np.uint8)
    output = Mask(names=("ground", "cell"), levels=((0,), (255,)))
    inputs = np.full((1, 1, 2, 3), 90, np.uint8)
    data = _data(output, inputs, ["x.tif"], "masks", [[2, 2]])
    written = hand_over(data, said, tmp_path)
    assert [str(name) for name in written] == ["masks/x.png", "overlays/x.png"]
    np.testing.assert_array_equal(_opened(tmp_path / "masks" / "x.png"), [[0, 255], [255, 0]])
    overlay = _opened(tmp_path / "overlays" / "x.png")
    assert overlay.shape == (2, 2, 3)
    assert overlay[0, 0].tolist() == [90, 90, 90]
    assert overlay[0, 1].tolist() != [90, 90, 90]


FOUND = np.full((2, 3, 6), -1, np.float32)
FOUND[0, 0] = 0.25, 0.5, 0.75, 1.0, 0.9, 1
FOUND[0, 1] = 0.0, 0.0, 0.5, 0.5, 0.2, 0


def _pictures(folder: Path) -> Dataset:
    """Two files of other sizes than the model's; the second has no box."""
    folder.mkdir()
    Pillow.new("RGB", (80, 40), "white").save(folder / "one.png")
    Pillow.new("RGB", (30, 60), "white").save(folder / "two.png")
    inputs = np.full((2, 3, 20, 20), 255, np.uint8)
    return _data(Boxes(names=NAMES), inputs, ["one.png", "two.png"], str(folder))


def test_boxes_in_pixels_of_the_files(tmp_path: Path) -> None:
    columns, lines = box_table(_pictures(tmp_path / "in"), FOUND)
    assert columns == ["class", "confidence", "left", "top", "right", "bottom"]
    assert lines == [["one.png", "platelet", 0.9, 20.0, 20.0, 60.0, 40.0]]


def test_coco_has_every_box_and_overlays_the_sure_ones(tmp_path: Path) -> None:
    data, out = _pictures(tmp_path / "in"), tmp_path / "out"
    written = hand_over(data, FOUND, out)
    assert [str(n) for n in written] == ["predictions.json", "overlays/one.png", "overlays/two.png"]
    sure, unsure = json.loads((out / "predictions.json").read_bytes())
    assert sure["bbox"] == [20, 20, 40, 20]
    assert (sure["file_name"], sure["category_name"]) == ("one.png", "platelet")
    assert unsure["bbox"] == [0, 0, 40, 20]
    assert unsure["score"] == pytest.approx(0.2)
    drawn = _opened(out / "overlays" / "one.png")
    assert drawn.shape == (40, 80, 3)
    assert (drawn[:18, :18] == 255).all(), "the unsure box is not drawn"
    assert (drawn[20:, 20:61] != 255).any()
    assert (_opened(out / "overlays" / "two.png") == 255).all()


def test_voc_and_yolo(tmp_path: Path) -> None:
    data = _pictures(tmp_path / "in")
    hand_over(data, FOUND, tmp_path / "voc", "voc")
    root = ET.parse(tmp_path / "voc" / "Annotations" / "one.xml").getroot()
    assert root.findtext("filename") == "one.png"
    assert root.findtext("size/width") == "80"
    assert [item.findtext("name") for item in root.findall("object")] == ["platelet"]
    empty = ET.parse(tmp_path / "voc" / "Annotations" / "two.xml").getroot()
    assert not empty.findall("object")
    hand_over(data, FOUND, tmp_path / "yolo", "yolo")
    assert (tmp_path / "yolo" / "classes.txt").read_text() == "red cell\nplatelet\n"
    assert (tmp_path / "yolo" / "labels" / "one.txt").read_bytes() == yolo_txt(FOUND[0, :1])
    assert (tmp_path / "yolo" / "labels" / "two.txt").read_bytes() == b""


def test_pictures_without_files_have_the_size_of_the_model(tmp_path: Path) -> None:
    inputs = np.zeros((2, 1, 10, 20), np.uint8)
    data = _data(Boxes(names=NAMES), inputs, ["0", "1"], "arrays")
    assert box_table(data, FOUND)[1] == [["0", "platelet", 0.9, 5.0, 5.0, 15.0, 10.0]]
    hand_over(data, FOUND, tmp_path / "out")
    assert _opened(tmp_path / "out" / "overlays" / "0.png").shape == (10, 20, 3)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    data = _pictures(tmp_path / "in")
    (tmp_path / "in" / "two.png").unlink()
    with pytest.raises(DataError, match=r'"two\.png" is not there any more'):
        box_table(data, FOUND)


@given(st.lists(st.text(max_size=300) | st.sampled_from(["a", "A.x", "a-2"]), max_size=9))
def test_names_stay_inside_and_apart(names: list[str]) -> None:
    places = safe_places(names)
    assert len({str(place).casefold() for place in places}) == len(names)
    for place in places:
        assert not place.is_absolute()
        assert not {"..", ".", ""} & set(place.parts)
        assert str(place).isprintable()
        assert all(len(part.encode()) <= 255 for part in place.parts)


def test_names_that_would_lead_out_or_meet(tmp_path: Path) -> None:
    names = ["../../a.png", "/a.png", "a.jpg", "sub/a.png", "x\0y\x1b[31m.png", "..", ""]
    said = np.zeros((len(names), 1, 2, 2), np.float32)
    data = _data(Picture(channels=1), said, names, "noisy", [[2, 2]] * len(names))
    written = hand_over(data, said, tmp_path / "deep" / "out")
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == {
        tmp_path / "deep" / "out" / name for name in written
    }
    assert [str(name) for name in written][:4] == ["a.png", "a-2.png", "a-3.png", "sub/a.png"]


OUTPUTS = {
    "picture": Picture(channels=1),
    "mask": Mask(names=NAMES),
    "boxes": Boxes(names=NAMES),
    "category": Category(names=NAMES),
}


@pytest.mark.parametrize(
    ("kind", "out", "form", "words"),
    [
        ("picture", None, None, "answers with pictures; name a folder for them: --out FOLDER"),
        ("mask", None, None, "answers with masks; name a folder for them: --out FOLDER"),
        ("mask", "new", "coco", "--format is for boxes, this model answers with masks: leave it"),
        ("category", "new", "voc", "--format is for boxes, this model answers with numbers or"),
        ("boxes", None, "yolo", "--format yolo writes files; name a folder for them"),
        ("boxes", "file", None, "is a file; this model writes many: name a folder"),
        ("picture", "data", None, "lies in the data; name a folder outside of"),
        ("mask", "data/inside", None, "lies in the data; name a folder outside of"),
    ],
)
def test_refusals_before_any_work(
    tmp_path: Path, kind: str, out: str | None, form: Any, words: str
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "file").touch()
    place = None if out is None else tmp_path / out
    with pytest.raises(ConfigError, match=words):
        check_way(OUTPUTS[kind], str(tmp_path / "data"), place, form)


@pytest.mark.parametrize(
    ("kind", "data", "out"),
    [
        ("picture", "data", "new"),
        ("picture", "data/x.png", "out"),
        ("mask", "masks:data", "data-out"),
        ("boxes", "data", None),
        ("category", "data", "data/answers.csv"),
    ],
)
def test_ways_that_are_open(tmp_path: Path, kind: str, data: str, out: str | None) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.png").touch()
    named, colon, rest = data.rpartition(":")
    location = f"{named}{colon}{tmp_path / rest}"
    check_way(OUTPUTS[kind], location, None if out is None else tmp_path / out, None)


def test_a_kind_before_the_path_hides_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lies in the data"):
        check_way(OUTPUTS["mask"], f"masks:{tmp_path}", tmp_path / "out", None)
    (tmp_path / "x.png").touch()
    with pytest.raises(ConfigError, match="lies in the data"):
        check_way(OUTPUTS["picture"], str(tmp_path / "x.png"), tmp_path, None)
