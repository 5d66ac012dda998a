"""Layouts of annotated pictures: told apart by structure, and claimed by one source a job."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gradatim.core.errors import DataError
from gradatim.core.signature import Boxes, Category, Mask, Signature
from gradatim.core.signature import Image as ImageField
from gradatim.core.source import ReadOptions
from gradatim.data.annotated import layouts_of
from gradatim.data.pictures.canvas import canvas_notes, decode_canvas
from gradatim.data.sources import SOURCES

FILES = {
    "voc": ["Annotations/a.xml", "JPEGImages/a.png"],
    "voc with masks": ["Annotations/a.xml", "JPEGImages/a.png", "SegmentationClass/a.png"],
    "coco": ["annotations/instances_train.json", "images/a.png"],
    "roboflow": ["train/_annotations.coco.json", "train/a.png"],
    "yolo": ["images/train/a.png", "labels/train/a.txt"],
    "yolo parts": ["train/images/a.png", "train/labels/a.txt", "data.yaml"],
    "masks": ["image/a.png", "label/a.png"],
    "classes": ["cat/a.png", "dog/a.png"],
    "table": ["rows.json", "rows.csv"],
    "empty": [],
}
LAYOUTS = {
    "voc": {"voc"},
    "voc with masks": {"voc", "masks"},
    "coco": {"coco"},
    "roboflow": {"coco"},
    "yolo": {"yolo"},
    "yolo parts": {"yolo"},
    "masks": {"masks"},
    "classes": set(),
    "table": set(),
    "empty": set(),
}


def made(folder: Path, files: list[str]) -> Path:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            Image.new("L", (4, 4)).save(path)
        else:
            coco = '{"images": [], "annotations": []}' if "anno" in file else "x"
            path.write_text(coco)
    return folder


@pytest.mark.parametrize("name", FILES)
def test_layouts_are_told_by_structure(name, tmp_path):
    assert layouts_of(made(tmp_path, FILES[name])) == LAYOUTS[name]


def claiming(place: Path, **options) -> set[str]:
    asked = ReadOptions(**options)
    return {n for n, source in SOURCES.all().items() if source.claims(os.fspath(place), asked)}


def model(output) -> Signature:
    return Signature(input=ImageField(channels=1, height=4, width=4), output=output)


@pytest.mark.parametrize(
    ("name", "task", "expected"),
    [
        ("voc", None, {"voc"}),
        ("voc", "detect", {"voc"}),
        ("voc", "classify", {"folder"}),
        ("voc with masks", "segment", {"masks"}),
        ("voc with masks", "detect", {"voc"}),
        ("voc with masks", None, {"voc", "masks"}),  # the user is asked which
        ("coco", None, {"coco"}),
        ("coco", "segment", {"coco"}),
        ("yolo", "detect", {"yolo"}),
        ("yolo", "denoise", {"noisy"}),
        ("masks", None, {"masks"}),
        ("masks", "segment", {"masks"}),
        ("classes", None, {"folder"}),
        ("classes", "classify", {"folder"}),
    ],
)
def test_who_claims_what_to_learn_from(name, task, expected, tmp_path):
    assert claiming(made(tmp_path, FILES[name]), task=task) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (Boxes(names=("a",)), {"voc"}),
        (Mask(names=("a", "b")), {"masks"}),
        (Category(names=("a", "b")), {"folder"}),
    ],
)
def test_plain_pictures_are_claimed_for_the_model_that_reads_them(output, expected, tmp_path):
    place = made(tmp_path, ["a.png", "b.png"])
    assert claiming(place, signature=model(output)) == expected
    assert claiming(place / "a.png", signature=model(output)) == expected
    assert claiming(
        made(tmp_path / "yolo", FILES["yolo"]), signature=model(Boxes(names=("a",)))
    ) == {"yolo"}


def test_a_table_is_claimed_by_none(tmp_path):
    place = made(tmp_path, FILES["table"])
    assert claiming(place / "rows.json") == set()
    assert claiming(place / "missing") == set()


# --- canvas -------------------------------------------------------------------------------------


def test_a_canvas_holds_pictures_of_many_sizes(tmp_path):
    """EXIF turns count: a picture that is shown 5 high and 3 wide takes so much."""
    Image.fromarray(np.full((3, 5), 7, np.uint8)).save(tmp_path / "a.png")
    turned = Image.new("L", (5, 3), 9)
    turned.getexif()[0x0112] = 6
    turned.save(tmp_path / "b.png", exif=turned.getexif())
    canvas = decode_canvas([tmp_path / "a.png", tmp_path / "b.png"], ["a", "b"], 1, "here")
    assert canvas.planes.shape == (2, 1, 5, 5)
    assert canvas.sizes.tolist() == [[3, 5], [5, 3]]
    assert (canvas.planes[0, 0, :3] == 7).all()
    assert not canvas.planes[0, 0, 3:].any()
    assert canvas_notes(canvas) == []


def test_a_canvas_of_very_different_sizes_is_remarked(tmp_path):
    for name, size in (("a", (100, 2)), ("b", (2, 100))):
        Image.new("L", size).save(tmp_path / f"{name}.png")
    canvas = decode_canvas([tmp_path / "a.png", tmp_path / "b.png"], ["a", "b"], 1, "here")
    assert canvas_notes(canvas)[0].code == "canvas"


def test_a_broken_picture_takes_no_canvas(tmp_path):
    for number in range(5):
        Image.new("L", (4, 4), number).save(tmp_path / f"{number}.png")
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "0.png").write_bytes(whole[:45])
    files = [tmp_path / f"{number}.png" for number in range(5)]
    names = [file.name for file in files]
    canvas = decode_canvas(files, names, 1, "here")
    assert canvas.good.tolist() == [False, True, True, True, True]
    assert canvas.sizes[0].tolist() == [0, 0]
    assert '"0.png"' in canvas.troubles[0]
    for file in files[:2]:
        file.write_bytes(b"")
    with pytest.raises(DataError, match="2 of 5 pictures"):
        decode_canvas(files, names, 1, "here")
