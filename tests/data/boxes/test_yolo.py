"""YOLO: lines of boxes, data.yaml without a YAML reader, and the source in its layouts."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gradatim.core.errors import DataError
from gradatim.core.source import ReadOptions
from gradatim.data.annotated import layouts_of
from gradatim.data.boxes.marks import checked
from gradatim.data.boxes.yolo import parse_data_yaml, parse_yolo, yolo_txt
from gradatim.data.read import read

PICTURE = PurePosixPath("images/a.png")
NAMES = ["cat", "dog"]


def boxes_of(text: str, names=NAMES):
    sheet = parse_yolo(text, PICTURE, "a.txt", names)
    return checked(sheet, (20, 40), {name: i for i, name in enumerate(names)})


def data(folder: Path, files: Mapping[str, str | None], **others: str) -> str:
    """Write pictures with their boxes; None leaves the file of boxes out."""
    for number, (picture, boxes) in enumerate(files.items()):
        path = folder / picture
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 20), (number, 90, 200)).save(path)
        label = folder / picture.replace("images", "labels")
        label.parent.mkdir(parents=True, exist_ok=True)
        if boxes is not None:
            label.with_suffix(".txt").write_text(boxes)
    for name, text in others.items():
        (folder / name.replace("_", ".")).write_text(text)
    return f"yolo:{folder}"


def test_a_line_is_class_middle_width_height():
    assert boxes_of("1 0.5 0.5 0.5 0.5\n\n").boxes == [[0.25, 0.25, 0.75, 0.75, 1]]


def test_an_outline_gives_the_box_around_it():
    assert boxes_of("0 0.1 0.2 0.5 0.2 0.3 0.9").boxes == [[0.1, 0.2, 0.5, 0.9, 0]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2 0.5 0.5 0.5 0.5", "expected 0 to 1"),
        ("-1 0.5 0.5 0.5 0.5", "expected 0 to 1"),
        ("0.5 0.5 0.5 0.5 0.5", "expected 0 to 1"),
        ("inf 0.5 0.5 0.5 0.5", "expected 0 to 1"),
        ("cat 0.5 0.5 0.5 0.5", "something else than numbers"),
        ("0 0.5 0.5 0.5", "4 numbers"),
        ("0 0.5 0.5 0.5 0.5 0.9", "6 numbers"),
        ("0 0.5 0.5 0 0.5", "empty or inverted"),
        ("0 0.5 0.5 -0.5 0.5", "empty or inverted"),
        ("0 nan 0.5 0.5 0.5", "no finite numbers"),
        ("0 1.5 0.5 0.5 0.5", "outside of the picture"),
    ],
)
def test_a_bad_line_is_told_with_file_and_line(line, words):
    made = boxes_of(f"0 0.5 0.5 0.5 0.5\n{line}")
    assert len(made.boxes) == 1
    assert words in made.troubles[0]
    assert '"a.txt", line 2' in made.troubles[0]


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 6))
def test_reading_gives_what_was_written(seed, count):
    """Within the six digits that are written."""
    random = np.random.default_rng(seed)
    corners = np.sort(random.random((count, 2, 2)), 1).reshape(count, 4)
    corners[:, 2:] = np.minimum(corners[:, 2:] + 1e-3, 1)
    targets = np.column_stack([corners, random.integers(0, 2, count)])
    padded = np.vstack([targets, np.full((1, 5), -1.0)])
    made = boxes_of(yolo_txt(padded).decode())
    assert made.troubles == []
    np.testing.assert_allclose(made.array(), targets, atol=2e-6)


def test_how_sure_a_box_is_stands_last():
    assert yolo_txt(np.array([[0, 0, 0.5, 1, 0.75, 3]])) == (
        b"3 0.250000 0.500000 0.500000 1.000000 0.750000\n"
    )


YAMLS = {
    "list": 'names: [cat, "big dog", it\'s]\n',
    "lines": "names:\n  - cat\n  - 'big dog'  # two words\n  - it's\n",
    "numbered": "names:\n  0: cat\n  1: big dog\n  2: it's\n",
    "braces": "names: {0: cat, 1: 'big dog', 2: it's}\n",
}


@pytest.mark.parametrize("text", YAMLS.values(), ids=YAMLS)
def test_names_in_a_yaml(text):
    """As PyYAML reads them, which is not needed."""
    head = "# a comment\ntrain: ../train/images\nval: [a, b]\nnc: 3\n"
    made = parse_data_yaml(head + text, "data.yaml")
    assert made.names == ["cat", "big dog", "it's"]
    assert made.parts == {"train": ["../train/images"], "val": ["a", "b"]}
    peer = pytest.importorskip("yaml").safe_load(head + text)["names"]
    assert list(peer.values() if isinstance(peer, dict) else peer) == made.names


@pytest.mark.parametrize(
    "text", ["names: [a, a]", "names:\n  1: a\n  2: b", "names:\n  - a\n  -  "]
)
def test_names_that_cannot_be_numbered_are_refused(text):
    with pytest.raises(DataError, match="names"):
        parse_data_yaml(text, "data.yaml")


LAYOUTS = {
    "parts below": ("images/train/a.png", "images/val/b.png", "images/test/c.png"),
    "parts above": ("train/images/a.png", "valid/images/b.png", "test/images/c.png"),
}


@pytest.mark.parametrize("files", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts(files, tmp_path):
    place = data(tmp_path, dict.fromkeys(files, "1 0.5 0.5 0.5 0.5\n"), classes_txt="cat\ndog\n")
    dataset = read(place)
    assert layouts_of(tmp_path) == {"yolo"}
    parts = dict(zip(dataset.row_names, dataset.sealed.tolist(), strict=True))
    assert parts == {file: file == files[2] for file in files}
    assert dataset.signature.output.names == ("dog",)
    assert dataset.samples.targets[0, 0].tolist() == [0.25, 0.25, 0.75, 0.75, 0]


def test_a_yaml_says_which_part_is_kept_apart(tmp_path):
    files = dict.fromkeys(["images/x/a.png", "images/y/b.png"], "0 0.5 0.5 0.5 0.5")
    yaml = f"path: ../{tmp_path.name}\ntrain: images/x\ntest: images/y\nnames: [cat]\n"
    dataset = read(data(tmp_path, files, data_yaml=yaml))
    assert dataset.sealed.tolist() == [False, True]
    outside = read(data(tmp_path, files, data_yaml="test: ../../etc\nnames: [cat]\n"))
    assert outside.sealed is None


def test_a_picture_without_a_file_has_no_boxes(tmp_path):
    place = data(
        tmp_path, {"images/a.png": "0 0.5 0.5 1 1", "images/b.png": None, "images/c.png": ""}
    )
    dataset = read(place)
    assert dataset.samples.targets[1:, 0, 4].tolist() == [-1, -1]
    assert {"no-boxes", "no-names"} <= {finding.code for finding in dataset.findings}
    assert dataset.signature.output.names == ("0",)


def test_boxes_without_a_picture_are_told(tmp_path):
    place = data(tmp_path, {"images/a.png": "0 0.5 0.5 1 1", "images/b.png": "0 0.5 0.5 1 1"})
    (tmp_path / "images/b.png").unlink()
    assert "1 files of boxes have no picture" in str(read(place).findings)


def test_classes_that_are_too_large(tmp_path):
    files = {f"images/{i}.png": "0 0.5 0.5 1 1" for i in range(5)} | {"images/9.png": "7 .5 .5 1 1"}
    dataset = read(data(tmp_path, files, classes_txt="cat\n"))
    assert '"labels/9.txt", line 1: its class is 7' in str(dataset.findings)
    with pytest.raises(DataError, match="no picture to learn from has a box"):
        read(data(tmp_path, dict.fromkeys(files, "7 .5 .5 1 1"), classes_txt="cat\n"))


def test_a_model_codes_classes_by_its_own_names(tmp_path):
    first = read(
        data(tmp_path / "a", {"images/a.png": "0 .5 .5 1 1\n1 .5 .5 .5 .5"}, classes_txt="u\nv")
    )
    other = data(tmp_path / "b", {"images/a.png": "0 .5 .5 1 1"}, classes_txt="v")
    dataset = read(other, ReadOptions(signature=first.signature))
    assert dataset.samples.targets[0, 0, 4] == 1
