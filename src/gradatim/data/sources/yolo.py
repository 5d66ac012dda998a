"""Pictures with boxes as YOLO has them: images/ and labels/, data.yaml or classes.txt."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset, Finding
from gradatim.core.source import ReadOptions, Source
from gradatim.data.annotated import layouts_of, refuse_columns
from gradatim.data.boxes.assembly import Annotations, boxes_dataset
from gradatim.data.boxes.marks import Sheet
from gradatim.data.boxes.yolo import DataYaml, parse_data_yaml, parse_yolo
from gradatim.data.files import checked_path, content_of
from gradatim.data.naming import listed, plain_name, shown, sorted_names
from gradatim.data.pictures.classes import PARTS
from gradatim.data.pictures.listing import Listing, list_pictures

__all__ = ["SOURCE", "Yolo"]

_NAMES = ("classes.txt", "obj.names", "labels/classes.txt")
_YAML = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")


class Yolo(Source):
    """images/NAME.* and labels/NAME.txt, with train/, val/, test/ above or below the two.

    A part called test, by its folder or in data.yaml, is the data's own test part.
    """

    summary: ClassVar[str] = "pictures with boxes, YOLO: images/ and labels/; test/ is kept apart"

    def claims(self, location: str, options: ReadOptions) -> bool:
        return options.job in (None, "detect") and "yolo" in layouts_of(Path(location))

    def read(self, location: str, options: ReadOptions) -> Dataset:
        path = checked_path(location, "folder")
        refuse_columns(options)
        return boxes_dataset(_annotations(path, location), location, options)


def _annotations(root: Path, location: str) -> Annotations:
    known = _data_yaml(root)
    names = known.names or _class_names(root)
    sheets, digest, bare = [], hashlib.sha256(), list[str]()
    tests = _test_folders(root, known)
    texts = Listing(kind="files of boxes", endings=frozenset({".txt"}))
    labels = {p for p in list_pictures(root, texts).pictures if p.name not in _NAMES}
    pictures = [p for p in list_pictures(root).pictures if _label_of(p) is not None]
    for text in sorted_names(str(picture) for picture in pictures):
        picture = PurePosixPath(text)
        sealed = _is_test(picture, tests, known.parts)
        label = _label_of(picture)
        content = _content(root / str(label)) if label in labels else b""
        digest.update(f"{plain_name(text)}\0{sealed}\0".encode())
        digest.update(hashlib.sha256(content).digest())
        bare += [] if content else [plain_name(text)]
        lines = content.decode("utf-8-sig", "replace")
        sheets.append(parse_yolo(lines, picture, plain_name(str(label)), names, sealed=sealed))
    if not sheets:
        trouble = f"{shown(location, 200)} holds no pictures in images/"
        raise DataError(f"{trouble}; put each picture into images/ and its boxes into labels/")
    digest.update("\0".join(names).encode())
    findings = _findings(labels, sheets, bare, names)
    return Annotations(root, "yolo", sheets, names or None, digest.digest(), findings)


def _label_of(picture: PurePosixPath) -> PurePosixPath | None:
    """Return where the boxes of a picture are: the last folder images becomes labels."""
    folders = [i for i, part in enumerate(picture.parts[:-1]) if part.casefold() == "images"]
    if not folders:
        return None
    spelled = picture.parts[folders[-1]]
    labels = {"images": "labels", "Images": "Labels", "IMAGES": "LABELS"}.get(spelled, "labels")
    parts = [*picture.parts]
    parts[folders[-1]] = labels
    return PurePosixPath(*parts).with_suffix(".txt")


def _content(path: Path) -> bytes:
    """Return the bytes of a file of boxes, which may be empty."""
    return content_of(path) if path.stat().st_size else b""


def _data_yaml(root: Path) -> DataYaml:
    path = next((root / name for name in _YAML if (root / name).is_file()), None)
    if path is None:
        return DataYaml()
    return parse_data_yaml(content_of(path).decode("utf-8-sig", "replace"), str(path))


def _class_names(root: Path) -> list[str]:
    path = next((root / name for name in _NAMES if (root / name).is_file()), None)
    if path is None:
        return []
    lines = content_of(path).decode("utf-8-sig", "replace").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _test_folders(root: Path, known: DataYaml) -> list[PurePosixPath]:
    """Return the folders inside the data that data.yaml calls its test part."""
    base = next(iter(known.parts.get("path", [])), "")
    found = []
    for entry in known.parts.get("test", []):
        path = PurePosixPath(entry)
        choices = (PurePosixPath(base) / path, path, PurePosixPath(*path.parts[1:]))
        inside = [p for p in choices if not p.is_absolute() and ".." not in p.parts]
        found += [p for p in inside if p.parts and (root / p).is_dir()][:1]
    return found


def _is_test(
    picture: PurePosixPath, tests: Sequence[PurePosixPath], parts: Mapping[str, list[str]]
) -> bool:
    if tests:
        return any(folder in picture.parents for folder in tests)
    return any(PARTS.get(part.casefold()) == "test" for part in picture.parts[:-1])


def _findings(
    labels: set[PurePosixPath], sheets: Sequence[Sheet], bare: Sequence[str], names: Sequence[str]
) -> list[Finding]:
    made = []
    if bare:
        message = f"{len(bare)} pictures have no boxes: {listed(bare, 3)}"
        made.append(Finding("no-boxes", "note", message, "", tuple(bare[:20])))
    used = {_label_of(sheet.picture) for sheet in sheets}
    boxed = (p for p in labels if "labels" in [part.casefold() for part in p.parts[:-1]])
    lost = sorted_names(plain_name(str(path)) for path in boxed if path not in used)
    if lost:
        message = f"{len(lost)} files of boxes have no picture and are left out: {listed(lost, 3)}"
        made.append(Finding("unpaired", "warning", message, "", tuple(lost[:20])))
    if not names:
        message = "no data.yaml and no classes.txt name the classes: they are called by number"
        made.append(Finding("no-names", "note", message))
    return made


SOURCE = Yolo()
