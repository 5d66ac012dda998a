"""What `predict --out FOLDER` writes: clean pictures, masks or boxes, in the formats of their jobs.

    denoise   NAME.png
    segment   masks/NAME.png, in the levels of the masks learnt from, and overlays/NAME.png
    detect    predictions.json (COCO), Annotations/NAME.xml (VOC) or labels/NAME.txt with
              classes.txt (YOLO), and overlays/NAME.png

What is written of translations: `session.translations`.

COCO has every box, for average precision asks for the unsure ones too; whatever is for people has
those that are at least 50 % sure.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np

from gradatim.core.errors import ConfigError
from gradatim.core.samples import Dataset
from gradatim.core.signature import Boxes, Mask, OutputField, Picture
from gradatim.data.boxes.coco import coco_results
from gradatim.data.boxes.voc import voc_xml
from gradatim.data.boxes.yolo import yolo_txt
from gradatim.data.masks.writing import mask_png
from gradatim.ops.denoising.quality import as_levels
from gradatim.ops.detection.average_precision import CONFIDENT
from gradatim.ops.segmentation.overlay import overlay
from gradatim.runs.files import write_bytes
from gradatim.session.asked_pictures import Asked, asked_pictures, location
from gradatim.session.overlays import labelled, png_bytes
from gradatim.session.translations import check_translation

__all__ = ["Format", "box_table", "check_way", "hand_over", "many_files"]

Format = Literal["coco", "voc", "yolo"]
File = tuple[PurePosixPath, bytes]
WRITTEN = {"picture": "pictures", "mask": "masks"}


def check_way(output: OutputField, data: Any, out: Path | None, form: Format | None) -> None:
    """Refuse, before anything is computed, answers that could not be handed over.

    Args:
        output: what the model answers with.
        data: what it is asked about.
        out: where the answers shall be written.
        form: of boxes.

    Raises:
        ConfigError: a folder is missing, or is none, or holds the data; or a format fits nothing.
    """
    if form is not None and not isinstance(output, Boxes):
        what = WRITTEN.get(output.kind, "numbers or names")
        raise ConfigError(f"--format is for boxes, this model answers with {what}: leave it out")
    if out is None and output.kind in WRITTEN:
        what = WRITTEN[output.kind]
        raise ConfigError(f"this model answers with {what}; name a folder for them: --out FOLDER")
    if out is None and form is not None:
        raise ConfigError(f"--format {form} writes files; name a folder for them: --out FOLDER")
    if output.kind == "translation":
        check_translation(str(data), out)
    if out is None or not many_files(output):
        return
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; this model writes many: name a folder")
    place, target = location(str(data)).resolve(), out.resolve()
    inside = (target, *target.parents) if place.is_dir() else (target,)
    if (place if place.is_dir() else place.parent) in inside:
        raise ConfigError(f"--out {out} lies in the data; name a folder outside of {data}")


def many_files(output: OutputField) -> bool:
    """Tell whether answers are files of their own, and no cells of a table."""
    return isinstance(output, Picture | Mask | Boxes)


def hand_over(
    data: Dataset, said: np.ndarray, out: Path, form: Format | None = None
) -> list[PurePosixPath]:
    """Write the answers of a model to a folder; return the names of the files.

    Args:
        data: what it was asked about.
        said: its answers, as `Supervised.decode` gives them, on the canvas of the inputs.
        out: a folder, made when it is not there; files of the same names are replaced.
        form: of boxes; COCO by default.
    """
    names = []
    for place, content in _files(data, said, form or "coco"):
        write_bytes(out / place, content)
        names.append(place)
    return names


def box_table(data: Dataset, said: np.ndarray) -> tuple[list[str], list[list[Any]]]:
    """Return column names and a line for every box that is sure, in pixels of its picture."""
    assert isinstance(data.signature.output, Boxes), "only boxes are listed"
    names, lines = data.signature.output.names, []
    for one, boxes in zip(asked_pictures(data), said, strict=True):
        for *edges, sure, code in _sure(boxes).tolist():
            pixels = np.array(edges) * [one.width, one.height, one.width, one.height]
            lines.append([one.name, names[int(code)], round(sure, 6), *pixels.round(2).tolist()])
    return ["class", "confidence", "left", "top", "right", "bottom"], lines


def _files(data: Dataset, said: np.ndarray, form: Format) -> Iterator[File]:
    output, asked = data.signature.output, asked_pictures(data)
    if isinstance(output, Picture):
        for one, levels in zip(asked, said, strict=True):
            yield _named(one, ".png"), png_bytes(as_levels(levels[:, : one.height, : one.width]))
    elif isinstance(output, Mask):
        for one, codes in zip(asked, said, strict=True):
            mask = codes[: one.height, : one.width]
            yield "masks" / _named(one, ".png"), mask_png(mask, output.levels)
            yield "overlays" / _named(one, ".png"), png_bytes(overlay(one.picture(), mask))
    else:
        assert isinstance(output, Boxes), "check_way lets no other answer pass"
        yield from _boxes(asked, said, output.names, form)


def _boxes(
    asked: list[Asked], said: np.ndarray, names: tuple[str, ...], form: Format
) -> Iterator[File]:
    if form == "coco":
        sizes = [(one.height, one.width) for one in asked]
        found = coco_results([one.name for one in asked], sizes, list(said), names)
        yield PurePosixPath("predictions.json"), found
    elif form == "yolo":
        yield PurePosixPath("classes.txt"), _class_lines(names)
    for one, boxes in zip(asked, said, strict=True):
        sure = _sure(boxes)
        if form == "yolo":
            yield "labels" / _named(one, ".txt"), yolo_txt(sure)
        elif form == "voc":
            yield "Annotations" / _named(one, ".xml"), _voc(one, sure, names)
        yield "overlays" / _named(one, ".png"), png_bytes(labelled(one.picture(), sure, names))


def _class_lines(names: tuple[str, ...]) -> bytes:
    return "".join(f"{' '.join(name.split())}\n" for name in names).encode()


def _voc(one: Asked, boxes: np.ndarray, names: tuple[str, ...]) -> bytes:
    classes = [names[int(code)] for code in boxes[:, 5]]
    edges = [(left, top, right, bottom) for left, top, right, bottom in boxes[:, :4].tolist()]
    size = one.height, one.width, one.channels
    return voc_xml(PurePosixPath(one.name).name, size, classes, edges, boxes[:, 4].tolist())


def _sure(boxes: np.ndarray) -> np.ndarray:
    """Return the boxes that a person would be shown."""
    sure: np.ndarray = boxes[(boxes[:, 5] >= 0) & (boxes[:, 4] >= CONFIDENT)].astype(float)
    return sure


def _named(one: Asked, ending: str) -> PurePosixPath:
    return one.place.with_name(one.place.name + ending)
