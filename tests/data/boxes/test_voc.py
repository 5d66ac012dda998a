"""Pascal VOC: what files say, what they must not say, and the source over a folder."""

import os
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.signature import Category, Signature
from gradatim.core.source import ReadOptions
from gradatim.data.boxes.marks import checked
from gradatim.data.boxes.voc import parse_voc, voc_xml
from gradatim.data.read import read
from gradatim.data.sources.voc import SOURCE

PICTURE = PurePosixPath("JPEGImages/a.png")
BOX = (0.25, 0.25, 0.5, 0.75)


def parsed(content: bytes):
    return parse_voc(content, PICTURE, "a.xml")


def annotation(*corners: object, name: str = "cat", size=(40, 20), difficult: int = 0) -> bytes:
    tags = ("xmin", "ymin", "xmax", "ymax")
    box = "".join(f"<{t}>{c}</{t}>" for t, c in zip(tags, corners, strict=True))
    thing = f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>{box}</bndbox>"
    sides = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    return f"<annotation>{sides}{thing}</object></annotation>".encode()


def data(folder: Path, annotations: dict[str, bytes], size=(40, 20), **lists: str) -> str:
    """Write a folder as VOC has it; each picture has a colour of its own."""
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, (stem, content) in enumerate(annotations.items()):
        (folder / f"Annotations/{stem}.xml").write_bytes(content)
        Image.new("RGB", size, (number, 90, 200)).save(folder / f"JPEGImages/{stem}.png")
    for part, names in lists.items():
        (folder / f"ImageSets/Main/{part}.txt").write_text("\n".join(names.split()) + "\n")
    return str(folder)


def good(name: str = "cat") -> bytes:
    return annotation(11, 6, 20, 15, name=name)


def read_voc(place: str):
    return read(f"voc:{place}")


def codes(dataset) -> list[str]:
    return [finding.code for finding in dataset.findings]


def test_corners_count_from_one_and_are_inside():
    """The whole picture is written 1, 1, width, height (VOC development kit, section 10)."""
    sheet = parsed(annotation(1, 1, 40, 20))
    assert sheet.marks[0].edges == (0, 0, 40, 20)
    assert checked(sheet, (20, 40), {"cat": 0}).array().tolist() == [[0, 0, 1, 1, 0]]


def test_difficult_objects_are_left_out():
    sheet = parsed(annotation(1, 1, 5, 5, difficult=1))
    assert (len(sheet.marks), sheet.left_out) == (0, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (annotation(5, 5, 5, 9), "empty or inverted"),
        (annotation(9, 5, 5, 9), "empty or inverted"),
        (annotation("", 5, 5, 9), "lacks a corner"),
        (annotation("nan", 5, 8, 9), "no finite numbers"),
        (annotation("x", 5, 8, 9), "no finite numbers"),
        (annotation(41, 5, 60, 9), "outside of the picture"),
        (annotation(1, 1, 9, 9, name="dog"), 'no class is called "dog"'),
        (annotation(1, 1, 9, 9, name=" "), "has no name"),
    ],
)
def test_a_bad_box_is_told_with_file_and_object(content, words):
    made = checked(parsed(content), (20, 40), {"cat": 0})
    assert made.boxes == []
    assert len(made.troubles) == 1
    assert words in made.troubles[0]
    assert '"a.xml", object 1' in made.troubles[0]


BOMB = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    b"<annotation><folder>&b;</folder></annotation>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused(encoding):
    """Entities grow without bound, and may name files: no document type, no entities."""
    with pytest.raises(DataError, match="document type"):
        parsed(BOMB.decode().encode(encoding))


@pytest.mark.parametrize("content", [b"<a", b"no xml", b"<a></b>", b"\x00", b"<annotation>&x;"])
def test_what_is_no_xml_is_refused(content):
    with pytest.raises(DataError, match="is no XML"):
        parsed(content)


def test_another_root_is_refused():
    with pytest.raises(DataError, match="expected <annotation>"):
        parsed(b"<html></html>")


def test_a_resized_picture_scales_its_boxes_and_a_wrong_size_does_not():
    """An annotated 80 x 40 of the same shape; an annotated 20 x 40 of another."""
    same = checked(parsed(annotation(1, 1, 40, 20, size=(80, 40))), (20, 40), {"cat": 0})
    other = checked(parsed(annotation(1, 1, 40, 20, size=(20, 40))), (20, 40), {"cat": 0})
    assert same.boxes == [[0, 0, 0.5, 0.5, 0]]
    assert other.boxes == [[0, 0, 1, 1, 0]]
    assert same.disagrees
    assert other.disagrees


def test_boxes_that_reach_out_are_clipped():
    made = checked(parsed(annotation(-9, 6, 20, 200)), (20, 40), {"cat": 0})
    assert made.boxes == [[0, 0.25, 0.5, 1, 0]]
    assert made.clipped == 1


@st.composite
def boxes(draw, most: int = 4):
    """Pixels of a picture, at least two wide and high, and its size."""
    height, width = draw(st.integers(2, 300)), draw(st.integers(2, 300))
    made = []
    for _ in range(draw(st.integers(0, most))):
        left, top = draw(st.integers(0, width - 2)), draw(st.integers(0, height - 2))
        right, bottom = draw(st.integers(left + 2, width)), draw(st.integers(top + 2, height))
        made.append((left / width, top / height, right / width, bottom / height))
    return height, width, made


@settings(deadline=None)
@given(boxes(), st.text(min_size=1).filter(lambda t: t.isprintable() and t == t.strip()))
def test_reading_gives_what_was_written(drawn, name):
    height, width, made = drawn
    written = voc_xml("a.png", (height, width, 3), [name] * len(made), made)
    sheet = parsed(written)
    again = checked(sheet, (height, width), {name: 0})
    assert sheet.size == (height, width)
    assert again.troubles == []
    np.testing.assert_allclose(again.array()[:, :4], np.reshape(made, (-1, 4)), atol=1e-6)


def test_names_are_escaped_and_control_characters_replaced():
    written = voc_xml("a.png", (9, 9, 1), ["<b>\x00&"], [BOX], [0.5])
    assert parsed(written).marks[0].name == "<b>\N{REPLACEMENT CHARACTER}&"
    assert b"<confidence>0.5</confidence>" in written


def test_the_source(tmp_path):
    place = data(tmp_path, {f"p{i}": good("ab"[i % 2]) for i in range(10)}, test="p3 p4")
    dataset = read_voc(place)
    assert dataset.signature.output.names == ("a", "b")
    assert dataset.samples.inputs.shape == (10, 3, 20, 40)
    assert dataset.samples.targets.shape == (10, 1, 5)
    torch.testing.assert_close(
        dataset.samples.targets[1], torch.tensor([[0.25, 0.25, 0.5, 0.75, 1.0]])
    )
    assert dataset.row_names[10 - 1] == "JPEGImages/p9.png"
    assert dataset.sealed.nonzero().flatten().tolist() == [3, 4]


def test_pictures_without_boxes_are_rows_of_minus_one(tmp_path):
    empty = b"<annotation></annotation>"
    dataset = read_voc(data(tmp_path, {"a": good(), "b": empty}))
    assert dataset.samples.targets[1].tolist() == [[-1.0] * 5]


def test_lists_say_what_is_learnt_from(tmp_path):
    place = data(tmp_path, {n: good() for n in "abcd"}, train="a", val="b", test="c b zz")
    dataset = read_voc(place)
    assert list(dataset.row_names) == [f"JPEGImages/{n}.png" for n in "abc"]
    assert dataset.sealed.tolist() == [False, True, True]
    told = " ".join(finding.message for finding in dataset.findings)
    for words in ("in no list", "count as test", '"zz"'):
        assert words in told


def test_what_has_no_partner_is_told(tmp_path):
    place = data(tmp_path, {n: good() for n in "abc"})
    (tmp_path / "JPEGImages/a.png").unlink()
    (tmp_path / "Annotations/b.xml").unlink()
    dataset = read_voc(place)
    assert list(dataset.row_names) == ["JPEGImages/c.png"]
    assert codes(dataset).count("unpaired") == 2


def test_bad_boxes_are_left_out_and_many_are_refused(tmp_path):
    bad = annotation(5, 5, 5, 5)
    dataset = read_voc(data(tmp_path / "few", {**{f"p{i}": good() for i in range(9)}, "q": bad}))
    found = next(f for f in dataset.findings if f.code == "bad-boxes")
    assert '"Annotations/q.xml", object 1' in found.message
    with pytest.raises(DataError, match="3 of 5 boxes cannot be used"):
        read_voc(
            data(tmp_path / "many", {**dict.fromkeys("ab", good()), **dict.fromkeys("cde", bad)})
        )


def test_broken_annotations_are_set_apart_and_many_are_refused(tmp_path):
    dataset = read_voc(data(tmp_path / "few", {**{f"p{i}": good() for i in range(9)}, "q": b"<an"}))
    assert len(dataset) == 9
    assert "broken annotation" in dataset.findings[0].message
    with pytest.raises(DataError, match="2 of 3 pictures"):
        read_voc(data(tmp_path / "many", {"a": good(), "b": b"<", "c": b""}))


def test_a_broken_picture_is_set_apart(tmp_path):
    place = data(tmp_path, {f"p{i}": good() for i in range(6)})
    (tmp_path / "JPEGImages/p0.png").write_bytes(b"\x89PNG\r\n")
    dataset = read_voc(place)
    assert len(dataset) == len(dataset.samples.targets) == 5
    assert "quarantined" in codes(dataset)


def test_the_fingerprint_covers_the_boxes(tmp_path):
    first = read_voc(data(tmp_path, {"a": good(), "b": good()})).fingerprint
    assert read_voc(str(tmp_path)).fingerprint == first
    moved = read_voc(data(tmp_path, {"a": good(), "b": annotation(11, 6, 21, 15)}))
    assert moved.fingerprint != first


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "y"}, "no columns"),
        ({"task": "classify"}, "--task is detect"),
        ({"names": "{label}"}, "--names"),
    ],
)
def test_options_that_mean_nothing(options, words, tmp_path):
    with pytest.raises(ConfigError, match=words):
        SOURCE.read(data(tmp_path, {"a": good(), "b": good()}), ReadOptions(**options))


def test_no_boxes_at_all(tmp_path):
    with pytest.raises(DataError, match="no picture to learn from has a box"):
        read_voc(data(tmp_path, {"a": b"<annotation/>", "b": b"<annotation/>"}))


def test_a_class_that_is_in_the_test_part_alone_is_set_apart(tmp_path):
    made = {**{f"p{i}": good() for i in range(8)}, "q": good("dog")}
    dataset = read_voc(data(tmp_path, made, test="q"))
    assert dataset.signature.output.names == ("cat",)
    assert "bad-boxes" in codes(dataset)


def test_predicting_from_plain_pictures(tmp_path):
    place = data(tmp_path, {"a": good(), "b": good()})
    options = ReadOptions(signature=read_voc(place).signature)
    for where, rows in (("JPEGImages", 2), ("JPEGImages/a.png", 1)):
        dataset = SOURCE.read(os.fspath(tmp_path / where), options)
        assert SOURCE.claims(os.fspath(tmp_path / where), options)
        assert dataset.samples.inputs.shape == (rows, 3, 20, 40)
        assert len(dataset.samples.targets) == 0


def test_a_model_of_something_else_is_refused(tmp_path):
    place = data(tmp_path, {"a": good(), "b": good()})
    learnt = read_voc(place).signature
    other = Signature(input=learnt.input, output=Category(names=("a", "b")))
    with pytest.raises(DataError, match="answers with category"):
        SOURCE.read(place, ReadOptions(signature=other))


def test_plain_pictures_teach_no_boxes(tmp_path):
    place = data(tmp_path, {"a": good()})
    with pytest.raises(DataError, match="holds no boxes to learn from"):
        SOURCE.read(place + "/JPEGImages", ReadOptions(task="detect"))


def test_blood_cells():
    """All pictures of the benchmark; its two empty boxes are set apart; 72 are its test list."""
    home = os.environ.get("GRADATIM_DATA")
    if not home:
        pytest.skip("no data: GRADATIM_DATA is not set")
    dataset = read_voc(f"{home}/bccd")
    assert dataset.signature.output.names == ("Platelets", "RBC", "WBC")
    assert dataset.samples.targets.shape == (364, 30, 5)
    assert int(dataset.sealed.sum()) == 72
    counts = np.bincount(dataset.samples.targets[..., 4].flatten().long().add(1).numpy())
    assert counts[1:].tolist() == [361, 4153, 372]
