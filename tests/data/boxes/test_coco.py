"""COCO: files of instances, results, and the source in its layouts."""

import io
import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gradatim.core.errors import DataError
from gradatim.core.source import ReadOptions
from gradatim.data.annotated import layouts_of
from gradatim.data.boxes.coco import coco_results, parse_coco
from gradatim.data.boxes.pictures import Shelf, part_of
from gradatim.data.read import read

CATEGORIES = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}, {"id": 9, "name": "idle"}]


def instances(files: Sequence[str], size=(20, 40), extra=(), **changes) -> bytes:
    """A file with a cat in the upper left of each picture."""
    images = [
        {"id": i, "file_name": file, "height": size[0], "width": size[1]}
        for i, file in enumerate(files)
    ]
    boxes = [
        {"id": 100 + i, "image_id": i, "category_id": 3, "bbox": [0, 0, 10, 10], "iscrowd": 0}
        | {"segmentation": [[0, 0, 10, 0, 10, 10, 0, 10]]}
        for i in range(len(files))
    ]
    root = {"images": images, "annotations": [*boxes, *extra], "categories": CATEGORIES}
    return json.dumps(root | changes).encode()


def pictures(folder: Path, names: Sequence[str], size=(40, 20)) -> None:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (number, 90, 200)).save(path)


def written(folder: Path, path: str, content: bytes) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content)


def test_what_a_file_says():
    made = parse_coco(instances(["a.png", "b.png"]), "x.json")
    assert made.classes == ("cat", "dog", "idle")
    assert [p.file for p in made.pictures] == ["a.png", "b.png"]
    assert made.pictures[0].size == (20, 40)
    assert made.pictures[1].objects[0].edges == (0, 0, 10, 10)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"category_id": 4, "bbox": [0, 0, 1, 1]}, "no category"),
        ({"category_id": 3, "bbox": [0, 0, 1]}, "no list of left, top"),
        ({"category_id": 3}, "no list of left, top"),
        ({"category_id": 3, "bbox": "0 0 1 1"}, "no list of left, top"),
    ],
)
def test_a_bad_object_is_told_with_its_file_and_id(item, words):
    made = parse_coco(instances(["a.png"], extra=[{"id": 5, "image_id": 0} | item]), "x.json")
    assert len(made.pictures[0].objects) == 1
    assert words in made.pictures[0].troubles[0]
    assert '"x.json", annotation "5"' in made.pictures[0].troubles[0]


def test_objects_of_no_picture_are_told():
    made = parse_coco(instances(["a.png"], extra=[{"image_id": 44, "category_id": 3}]), "x.json")
    assert 'no image "44"' in made.stray[0]


def test_a_box_comes_from_the_outline_where_there_is_none():
    item = {"image_id": 0, "category_id": 3, "segmentation": [[1, 2, 5, 2, 5, 9]]}
    made = parse_coco(instances(["a.png"], extra=[item]), "x.json")
    assert made.pictures[0].objects[1].edges == (1, 2, 5, 9)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 200_000,
        b'{"images": []}',
        b'{"images": [1], "annotations": [], "categories": []}',
        instances(["a.png"], categories=[{"name": "no id"}]),
        instances(["a.png"], categories=[{"id": 1}, {"id": "b"}]),
        instances(["a.png"], images=[{"id": 0}]),
        instances(["a.png"], images=[{"id": 0, "file_name": "a"}, {"id": 0, "file_name": "b"}]),
    ],
)
def test_what_is_no_file_of_instances_is_refused(content):
    with pytest.raises(DataError) as caught:
        parse_coco(content, "x.json")
    assert '"x.json"' in str(caught.value)
    assert str(caught.value).count("\n") < 3


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.integers(0, 5))
def test_results_hold_what_was_found(seed, count):
    """The edges come back within the rounding to thousandths of a pixel, -1 rows are left out."""
    random = np.random.default_rng(seed)
    corners = np.sort(random.random((count, 2, 2)), 1).reshape(count, 4)
    found = np.column_stack([corners, random.random(count), random.integers(0, 2, count)])
    padded = np.vstack([found, np.full((2, 6), -1.0)])
    written = coco_results(["a.png", "b.png"], [(20, 40), (30, 10)], [padded[-2:], padded], "uv")
    entries = json.loads(written)
    assert [e["image_id"] for e in entries] == [2] * count
    assert [e["category_name"] for e in entries] == ["uv"[int(code)] for code in found[:, 5]]
    boxes = np.reshape([e["bbox"] for e in entries], (-1, 4))
    edges = np.column_stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
    np.testing.assert_allclose(edges, corners * [10, 30, 10, 30], atol=2e-3)


def test_results_are_read_by_the_evaluation_of_coco(tmp_path):
    """A peer reads both our ground truth and our results, and finds them to agree."""
    peer = pytest.importorskip("faster_coco_eval")
    truth = json.loads(instances(["a.png"]))
    for item in truth["images"]:
        item["id"] += 1
    for item in truth["annotations"]:
        item |= {"image_id": item["image_id"] + 1, "category_id": 1, "area": 100}
    truth["categories"] = [{"id": 1, "name": "cat"}]
    found = np.array([[0, 0, 0.25, 0.5, 0.9, 0]])
    results = json.loads(coco_results(["a.png"], [(20, 40)], [found], ["cat"]))
    coco = peer.COCO(truth)
    scores = peer.COCOeval_faster(
        coco, coco.loadRes(results), "bbox", print_function=io.StringIO().write
    )
    scores.evaluate()
    scores.accumulate()
    scores.summarize()
    assert scores.stats[0] == pytest.approx(1.0)


def test_finding_pictures():
    paths = ["train/a.png", "val/a.png", "b.png", "x/c.png"]
    shelf, home = Shelf(map(PurePosixPath, paths)), PurePosixPath("train")
    assert shelf.find("a.png", home) == PurePosixPath("train/a.png")
    assert shelf.find("a.png", PurePosixPath("annotations")) is None
    assert shelf.find("a.png", PurePosixPath("annotations"), "val") == PurePosixPath("val/a.png")
    assert shelf.find("C:\\mine\\c.png", home) == PurePosixPath("x/c.png")
    assert shelf.find("../../b.png", home) == PurePosixPath("b.png")
    assert shelf.find("missing.png", home) is None
    assert [part_of(n) for n in ("instances_test2017", "contest")] == ["test", None]


LAYOUTS = {
    "annotations": {
        "annotations/instances_train.json": ["train/a.png", "train/b.png"],
        "annotations/instances_test.json": ["test/a.png"],
    },
    "named alike": {
        "annotations/instances_train2017.json": ["train2017/a.png", "train2017/b.png"],
        "annotations/instances_test2017.json": ["test2017/a.png"],
    },
    "parts": {
        "train/_annotations.coco.json": ["train/a.png", "train/b.png"],
        "test/_annotations.coco.json": ["test/a.png"],
    },
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts(layout, tmp_path):
    """The test part is known by the name of its file or folder; names may repeat in folders."""
    for path, files in layout.items():
        pictures(tmp_path, files)
        written(tmp_path, path, instances([Path(file).name for file in files]))
    dataset = read(f"coco:{tmp_path}")
    assert layouts_of(tmp_path) == {"coco"}
    parts = dict(zip(dataset.row_names, dataset.sealed.tolist(), strict=True))
    assert parts == {f: "test" in f for files in layout.values() for f in files}
    assert dataset.signature.output.names == ("cat",)
    assert dataset.samples.targets[0, 0].tolist() == [0, 0, 0.25, 0.5, 0]
    assert {"empty-class"} <= {finding.code for finding in dataset.findings}


def test_a_single_file_beside_its_pictures(tmp_path):
    pictures(tmp_path, ["images/a.png", "images/b.png"])
    written(tmp_path, "all.json", instances(["a.png", "b.png"]))
    written(tmp_path, "notes.json", b'{"a": 1}')
    dataset = read(f"coco:{tmp_path / 'all.json'}")
    assert len(dataset) == 2
    assert read(f"coco:{tmp_path}").fingerprint == dataset.fingerprint


def test_captions_beside_instances_do_not_count(tmp_path):
    pictures(tmp_path, ["a.png", "b.png"])
    written(tmp_path, "annotations/captions_train.json", instances(["a.png", "b.png"]))
    written(tmp_path, "annotations/instances_train.json", instances(["a.png", "b.png"]))
    assert len(read(f"coco:{tmp_path}")) == 2


def test_crowds_are_left_out(tmp_path):
    crowd = {"image_id": 0, "category_id": 7, "bbox": [1, 1, 3, 3], "iscrowd": 1}
    pictures(tmp_path, ["a.png", "b.png"])
    written(tmp_path, "x.json", instances(["a.png", "b.png"], extra=[crowd]))
    dataset = read(f"coco:{tmp_path}")
    assert dataset.signature.output.names == ("cat",)
    assert "1 objects marked as difficult or as a crowd" in str(dataset.findings)


def test_missing_pictures_are_told_and_none_at_all_is_refused(tmp_path):
    written(tmp_path, "x.json", instances(["a.png", "b.png", "../../etc/passwd"]))
    with pytest.raises(DataError, match="3 pictures are annotated and not there"):
        read(f"coco:{tmp_path}")
    pictures(tmp_path, ["a.png", "b.png"])
    dataset = read(f"coco:{tmp_path}")
    assert [f.rows for f in dataset.findings if f.code == "unpaired"] == [("../../etc/passwd",)]


def test_a_picture_that_two_files_annotate_is_refused(tmp_path):
    pictures(tmp_path, ["a.png"])
    written(tmp_path, "x.json", instances(["a.png"]))
    written(tmp_path, "y.json", instances(["a.png"]))
    with pytest.raises(DataError, match="annotated twice"):
        read(f"coco:{tmp_path}")


# --- outlines -----------------------------------------------------------------------------------


def test_outlines_become_masks(tmp_path):
    """A polygon, the smaller object over it, runs, a crowd: background, cat, dog, ignored."""
    from gradatim.data.masks.runs import packed_runs

    spot = np.zeros((20, 40), bool)
    spot[15:18, 30:36] = True
    runs = {"size": [20, 40], "counts": packed_runs(spot)}
    extra = [
        {
            "image_id": 0,
            "category_id": 7,
            "segmentation": [[2, 2, 4, 2, 4, 4, 2, 4]],
            "bbox": [2, 2, 2, 2],
        },
        {"image_id": 0, "category_id": 7, "segmentation": runs, "bbox": [30, 15, 6, 3]},
        {
            "image_id": 0,
            "category_id": 3,
            "segmentation": {"size": [20, 40], "counts": [799, 1]},
            "iscrowd": 1,
            "bbox": [39, 19, 1, 1],
        },
    ]
    pictures(tmp_path, ["a.png"])
    pictures(tmp_path, ["b.png"], size=(10, 30))
    content = json.loads(instances(["a.png", "b.png"], extra=extra))
    content["images"][1] |= {"height": 30, "width": 10}
    written(tmp_path, "x.json", json.dumps(content).encode())
    dataset = read(f"coco:{tmp_path}", ReadOptions(task="segment"))
    assert dataset.signature.output.names == ("background", "cat", "dog")
    assert dataset.signature.input.fit == "pad"
    expected = np.zeros((20, 40), np.uint8)
    expected[:10, :10], expected[2:4, 2:4], expected[spot], expected[19, 39] = 1, 2, 2, 255
    np.testing.assert_array_equal(dataset.samples.targets[0, :20], expected)
    assert dataset.samples.sizes.tolist() == [[20, 40], [30, 10]]
    assert (dataset.samples.targets[0, 20:] == 255).all()
    assert (dataset.samples.targets[1, :, 10:] == 255).all()
    again = read(f"coco:{tmp_path}", ReadOptions(signature=dataset.signature))
    assert again.samples.targets.equal(dataset.samples.targets)


def test_bad_outlines_are_told(tmp_path):
    files = [f"{i}.png" for i in range(6)]
    bad = {"image_id": 0, "category_id": 3, "segmentation": [[1, 1, 2]], "bbox": [0, 0, 1, 1]}
    pictures(tmp_path, files)
    written(tmp_path, "x.json", instances(files, extra=[bad]))
    dataset = read(f"coco:{tmp_path}", ReadOptions(task="segment"))
    assert "1 outlines are left out" in str(dataset.findings)
    written(tmp_path, "x.json", instances(files, extra=[bad, bad]))
    with pytest.raises(DataError, match="2 of 8 outlines"):
        read(f"coco:{tmp_path}", ReadOptions(task="segment"))
