"""COCO: one JSON file for all pictures, with boxes, polygons and runs of pixels.

A box is left, top, width, height in pixels from 0, where 0 and the width are the borders of the
picture. Objects with iscrowd are groups outlined roughly; evaluation ignores them.

Source: Lin et al. 2014, "Microsoft COCO: Common Objects in Context"; cocodataset.org, "Data format"
and "Results format".
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradatim.core.errors import DataError
from gradatim.data.naming import shown

__all__ = ["CocoObject", "CocoPicture", "Instances", "coco_results", "parse_coco"]


@dataclass(frozen=True)
class CocoObject:
    """One object: its class, its box as edges in pixels, its outline as the file has it."""

    name: str
    edges: tuple[float, float, float, float]
    outline: Any
    crowd: bool
    where: str


@dataclass(frozen=True)
class CocoPicture:
    """One picture: the name of its file, its height and width, its objects."""

    file: str
    size: tuple[float, float]
    objects: tuple[CocoObject, ...]
    troubles: tuple[str, ...]


@dataclass(frozen=True)
class Instances:
    """What a file says: pictures in its order, class names in the order of their numbers."""

    pictures: tuple[CocoPicture, ...]
    classes: tuple[str, ...]
    stray: tuple[str, ...]
    """Objects of no picture, a sentence each."""


def parse_coco(content: bytes, name: str) -> Instances:
    """Return pictures and objects of a file of instances.

    Raises:
        DataError: no JSON, or without the lists of images, annotations and categories.
    """
    lists = _lists(content, name)
    classes = _classes(lists["categories"], name)
    known = {_key(item.get("id")): item for item in lists["images"]}
    if len(known) < len(lists["images"]):
        raise DataError(f"{shown(name, 200)}: two images have one id; write the file again")
    of_picture: dict[Any, list[CocoObject | str]] = defaultdict(list)
    stray = []
    for number, item in enumerate(lists["annotations"]):
        where = f"{shown(name, 200)}, annotation {_label(item, number)}"
        if _key(item.get("image_id")) in known:
            of_picture[_key(item["image_id"])].append(_object(item, classes, where))
        else:
            stray.append(f"{where}: there is no image {shown(item.get('image_id'))}")
    pictures = tuple(_picture(item, of_picture[key], name) for key, item in known.items())
    return Instances(pictures, tuple(dict.fromkeys(classes.values())), tuple(stray))


def _lists(content: bytes, name: str) -> Mapping[str, list[dict[str, Any]]]:
    try:
        root = json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:120]
        raise DataError(f"{shown(name, 200)} is no JSON: {reason}; write it again") from error
    lists = {}
    for key in ("images", "annotations", "categories"):
        value = root.get(key) if isinstance(root, dict) else None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            trouble = f"{shown(name, 200)} lacks a list of {key}"
            raise DataError(f"{trouble}; give a file of instances as COCO has them")
        lists[key] = value
    return lists


def _key(value: object) -> Any:
    """Return an id that can be looked up: 1, 1.0 and "1" are three."""
    return (type(value).__name__, value if isinstance(value, (int, str)) else repr(value))


def _label(item: Mapping[str, Any], number: int) -> str:
    return shown(item["id"]) if isinstance(item.get("id"), (int, str)) else f"number {number + 1}"


def _classes(categories: Sequence[Mapping[str, Any]], name: str) -> dict[Any, str]:
    try:
        order = sorted(categories, key=lambda item: item["id"])
    except (KeyError, TypeError) as error:
        trouble = f"{shown(name, 200)}: a category has no id, or ids of different kinds"
        raise DataError(f"{trouble}; give each category a whole number") from error
    return {_key(item["id"]): str(item.get("name", item["id"])) for item in order}


def _picture(
    item: Mapping[str, Any], objects: Sequence[CocoObject | str], name: str
) -> CocoPicture:
    file = item.get("file_name")
    if not isinstance(file, str) or not file:
        trouble = f"{shown(name, 200)}: image {shown(item.get('id'))} has no file_name"
        raise DataError(f"{trouble}; name the file of each image")
    size = tuple(_number(item.get(side)) for side in ("height", "width"))
    good = tuple(one for one in objects if isinstance(one, CocoObject))
    return CocoPicture(
        file, (size[0], size[1]), good, tuple(o for o in objects if isinstance(o, str))
    )


def _object(item: Mapping[str, Any], classes: Mapping[Any, str], where: str) -> CocoObject | str:
    name = classes.get(_key(item.get("category_id")))
    if name is None:
        return f"{where}: there is no category {shown(item.get('category_id'))}"
    box, outline = item.get("bbox"), item.get("segmentation")
    if not box:
        box = _around(outline)
    if not isinstance(box, list) or len(box) != 4:
        return f"{where}: its bbox is no list of left, top, width, height"
    left, top, width, height = (_number(value) for value in box)
    edges = (left, top, left + width, top + height)
    return CocoObject(name, edges, outline, item.get("iscrowd") in (1, True), where)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and abs(value) < 1e12 else float("nan")


def _around(outline: Any) -> list[float] | None:
    """Return the box around polygons, for objects that have no box of their own."""
    try:
        points = np.concatenate([np.asarray(p, float).reshape(-1, 2) for p in outline])
    except (TypeError, ValueError):
        return None
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return [float(left), float(top), float(right - left), float(bottom - top)]


def coco_results(
    files: Sequence[str],
    sizes: Sequence[tuple[int, int]],
    found: Sequence[np.ndarray],
    names: Sequence[str],
) -> bytes:
    """Return boxes that were found as a results file.

    Pictures and classes are numbered from 1 in the order given; `file_name` and `category_name`
    stand beside the numbers, for files that number them otherwise. Readers pass over both.

    Args:
        files: the name of each picture.
        sizes: height and width of each, in pixels.
        found: (boxes, 6) of each: edges as shares in [0, 1], confidence, class; -1 rows are none.
        names: of the classes.
    """
    entries = []
    for row, (file, (height, width), boxes) in enumerate(zip(files, sizes, found, strict=True)):
        for left, top, right, bottom, score, code in boxes[boxes[:, 5] >= 0].astype(float).tolist():
            box = (left * width, top * height, (right - left) * width, (bottom - top) * height)
            entry: dict[str, Any] = {"image_id": row + 1, "category_id": int(code) + 1}
            entry |= {"bbox": [round(edge, 3) for edge in box], "score": round(score, 6)}
            entries.append(entry | {"file_name": file, "category_name": names[int(code)]})
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    return f"[{lines}]\n".encode()
