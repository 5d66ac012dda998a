"""Pascal VOC: one XML file a picture.

Corners are numbers of pixels, counted from 1, both inclusive: a box from 1 to the width covers
the whole width. As edges, left and top become one less, right and bottom stay.

A box whose corners coincide counts as empty, although it names one pixel: annotation tools write
a click without a drag in this way. Objects marked as difficult are left out, as in the challenge.

Source: Everingham et al. 2010, "The Pascal Visual Object Classes (VOC) Challenge", development kit
of 2012, section 10; detectron2 has the same reading of the corners (torchvision has no corners).
"""

from collections.abc import Sequence
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET
from xml.parsers import expat

from gradatim.core.errors import DataError
from gradatim.data.boxes.marks import Mark, Sheet
from gradatim.data.naming import shown

__all__ = ["parse_voc", "voc_xml"]

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def parse_voc(content: bytes, picture: PurePosixPath, name: str, *, sealed: bool = False) -> Sheet:
    """Return what an annotation file says.

    Args:
        content: of the file.
        picture: the picture that it is about.
        name: of the file, for messages.
        sealed: whether the picture is of the test part.

    Raises:
        DataError: no XML, no <annotation>, or a document type (which could hold entities).
    """
    root = _tree(content, name)
    if root.tag != "annotation":
        trouble = f"{shown(name, 200)} begins with {shown(root.tag)}, expected <annotation>"
        raise DataError(f"{trouble}; give files as Pascal VOC has them")
    marks, troubles, left_out = list[Mark](), list[str](), 0
    for number, item in enumerate(root.findall("object"), 1):
        where = f"{shown(name, 200)}, object {number}"
        if _number(item.findtext("difficult", "0")) == 1:
            left_out += 1
            continue
        mark = _mark(item, where)
        if isinstance(mark, Mark):
            marks.append(mark)
        else:
            troubles.append(mark)
    return Sheet(picture, tuple(marks), _size(root), sealed, tuple(troubles), left_out)


def _mark(item: ET.Element, where: str) -> Mark | str:
    texts = [item.findtext(f"bndbox/{corner}", "") for corner in _CORNERS]
    label = (item.findtext("name") or "").strip()
    if not label:
        return f"{where}: it has no name"
    if not all(text.strip() for text in texts):
        return f"{where}: its <bndbox> lacks a corner"
    left, top, right, bottom = (_number(text) for text in texts)
    if right <= left or bottom <= top:
        return f"{where}: it is empty or inverted"
    return Mark(label, (left - 1, top - 1, right, bottom), where)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _size(root: ET.Element) -> tuple[float, float]:
    height, width = (_number(root.findtext(f"size/{side}", "0")) for side in ("height", "width"))
    return height, width


def _tree(content: bytes, name: str) -> ET.Element:
    """Return the root; only elements and text: a document type is refused when it begins."""
    builder, parser = ET.TreeBuilder(), expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data

    def refuse(*_: object) -> None:
        trouble = f"{shown(name, 200)} has a document type, which may hold entities"
        raise DataError(f"{trouble}; remove its <!DOCTYPE ...>")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shown(name, 200)} is no XML: {error}; write it again") from error
    return builder.close()


def voc_xml(
    picture: str,
    size: tuple[int, int, int],
    names: Sequence[str],
    boxes: Sequence[tuple[float, float, float, float]],
    confidences: Sequence[float] | None = None,
) -> bytes:
    """Return an annotation file.

    Args:
        picture: the name of the picture's file.
        size: its height, width and channels, in pixels.
        names: the class of each box.
        boxes: left, top, right, bottom of each as shares in [0, 1].
        confidences: how sure each box is, in [0, 1]; written as <confidence> when given.
    """
    height, width, channels = size
    root = ET.Element("annotation")
    _put(root, "filename", picture)
    sides = ET.SubElement(root, "size")
    for side, pixels in zip(("width", "height", "depth"), (width, height, channels), strict=True):
        _put(sides, side, str(pixels))
    for row, (label, (left, top, right, bottom)) in enumerate(zip(names, boxes, strict=True)):
        item = ET.SubElement(root, "object")
        _put(item, "name", label)
        _put(item, "difficult", "0")
        if confidences is not None:
            _put(item, "confidence", f"{confidences[row]:.6g}")
        corners = (left * width + 1, top * height + 1, right * width, bottom * height)
        place = ET.SubElement(item, "bndbox")
        for corner, value in zip(_CORNERS, corners, strict=True):
            _put(place, corner, f"{round(value, 2):g}")
    ET.indent(root)
    return ET.tostring(root, "utf-8") + b"\n"


def _put(parent: ET.Element, tag: str, text: str) -> None:
    # XML 1.0 has no control characters, and a class may be called anything.
    safe = "".join(
        c if c.isprintable() or c in "\t\n" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    ET.SubElement(parent, tag).text = safe
