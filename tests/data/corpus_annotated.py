"""Malformed pictures with boxes or masks; registers itself in the corpus."""

import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

from .corpus import DATA, TARGET, USAGE, case, picture

BOX = "<object><name>cat</name><bndbox><xmin>{}</xmin><ymin>1</ymin><xmax>{}</xmax><ymax>4</ymax>"
BOX += "</bndbox></object>"


def voc(folder: Path, content: str, count: int = 5) -> str:
    """Pictures of 8 x 6 with the same annotation."""
    for i in range(count):
        picture(folder / "set" / "JPEGImages" / f"{i}.png", 40 * i)
        path = folder / "set" / "Annotations" / f"{i}.xml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return str(folder / "set")


def coco(folder: Path, **lists: object) -> str:
    picture(folder / "set" / "0.png")
    (folder / "set" / "all.json").write_text(json.dumps(lists))
    return str(folder / "set")


def yolo(folder: Path, line: str, **files: str) -> str:
    for i in range(5):
        picture(folder / "set" / "images" / f"{i}.png", 40 * i)
        path = folder / "set" / "labels" / f"{i}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(line)
    for name, text in files.items():
        (folder / "set" / name.replace("_", ".")).write_text(text)
    return str(folder / "set")


def masked(folder: Path, mask: np.ndarray, name: str = "{}.png") -> str:
    for i in range(5):
        picture(folder / "set" / "images" / f"{i}.png", 40 * i)
        path = folder / "set" / "masks" / name.format(i)
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(mask).save(path)
    return str(folder / "set")


def two_levels(height: int = 6, width: int = 8) -> np.ndarray:
    return np.where(np.arange(width) < 3, 0, 255).astype(np.uint8)[None].repeat(height, 0)


@case
def boxes_outside_of_their_pictures(folder: Path):
    return [voc(folder, f"<annotation>{BOX.format(9, 12)}</annotation>")], DATA


@case
def boxes_that_are_empty(folder: Path):
    return [voc(folder, f"<annotation>{BOX.format(3, 3)}</annotation>")], DATA


@case
def annotations_with_entities(folder: Path):
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>'
    return [voc(folder, bomb)], DATA


@case
def annotations_cut_off(folder: Path):
    return [voc(folder, "<annotation><object>")], DATA


@case
def annotations_without_pictures(folder: Path):
    place = Path(voc(folder, "<annotation/>"))
    for path in (place / "JPEGImages").iterdir():
        path.unlink()
    return [str(place)], DATA


@case
def pipe_among_annotations(folder: Path):
    place = Path(voc(folder, f"<annotation>{BOX.format(1, 3)}</annotation>", count=1))
    (place / "Annotations" / "0.xml").unlink()
    os.mkfifo(place / "Annotations" / "0.xml")
    return [str(place)], DATA


@case
def boxes_with_a_target(folder: Path):
    return [voc(folder, f"<annotation>{BOX.format(1, 3)}</annotation>"), *TARGET], USAGE


@case
def boxes_to_learn_from_plain_pictures(folder: Path):
    picture(folder / "set" / "0.png")
    return [str(folder / "set"), "--task", "detect"], DATA


@case
def coco_without_categories(folder: Path):
    return [coco(folder, images=[], annotations=[])], DATA


@case
def coco_without_pictures(folder: Path):
    image = {"id": 1, "file_name": "../../etc/passwd"}
    return [coco(folder, images=[image], annotations=[], categories=[])], DATA


@case
def coco_with_nan(folder: Path):
    image = {"id": 1, "file_name": "0.png", "height": 6, "width": 8}
    box = {"image_id": 1, "category_id": 1, "bbox": [0, 0, float("nan"), 3]}
    names = [{"id": 1, "name": "cat"}]
    return [coco(folder, images=[image], annotations=[box], categories=names)], DATA


@case
def yolo_class_too_large(folder: Path):
    return [yolo(folder, "3 0.5 0.5 0.5 0.5\n", classes_txt="cat\ndog\n")], DATA


@case
def yolo_in_pixels(folder: Path):
    return [yolo(folder, "0 120 90 40 30\n", classes_txt="cat\n")], DATA


@case
def yolo_names_that_repeat(folder: Path):
    return [yolo(folder, "0 0.5 0.5 0.5 0.5\n", data_yaml="names: [cat, cat]\n")], DATA


@case
def masks_of_other_pictures(folder: Path):
    return [masked(folder, two_levels(), "other{}.png")], DATA


@case
def masks_of_another_shape(folder: Path):
    return [masked(folder, two_levels(8, 6))], DATA


@case
def masks_of_one_class(folder: Path):
    return [masked(folder, np.zeros((6, 8), np.uint8))], DATA


@case
def masks_that_are_photographs(folder: Path):
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    return [masked(folder, noise)], DATA


@case
def masks_cut_off(folder: Path):
    place = Path(masked(folder, two_levels()))
    for path in (place / "masks").iterdir():
        path.write_bytes(path.read_bytes()[:40])
    return [str(place)], DATA


@case
def masks_with_a_list_of_other_classes(folder: Path):
    place = masked(folder, two_levels())
    (folder / "set" / "classes.txt").write_text("sky\nsea\nland\n")
    return [place], DATA


@case
def masks_to_learn_from_plain_pictures(folder: Path):
    picture(folder / "set" / "0.png")
    return [str(folder / "set"), "--task", "segment"], DATA
