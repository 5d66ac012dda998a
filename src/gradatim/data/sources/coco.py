"""Pictures with objects as COCO has them: boxes to detect, outlines to segment."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import ClassVar

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset, Finding
from gradatim.core.source import ReadOptions, Source
from gradatim.data.annotated import coco_files, layouts_of, refuse_columns
from gradatim.data.boxes.assembly import Annotations, boxes_dataset
from gradatim.data.boxes.coco import CocoPicture, parse_coco
from gradatim.data.boxes.marks import Mark, Sheet
from gradatim.data.boxes.pictures import Shelf, part_of
from gradatim.data.files import checked_path, content_of
from gradatim.data.masks.outlines import Outlined, outlines_dataset
from gradatim.data.naming import listed, plain_name, shown
from gradatim.data.pictures.listing import list_pictures

__all__ = ["SOURCE", "Coco"]

Row = tuple[PurePosixPath, CocoPicture, bool]
GROWTH = 12.0
"""Bytes of Python objects for each byte of JSON, at most."""


class Coco(Source):
    """A .json of instances, or a folder with some at its top, in annotations/, train/, test/.

    Pictures are found by their file_name, beside the file or anywhere in the folder. A file, or
    its folder, with the word "test" in its name is the data's own test part.
    """

    summary: ClassVar[str] = "pictures with boxes or outlines, COCO's instances as .json"

    def claims(self, location: str, options: ReadOptions) -> bool:
        asked = options.job in (None, "detect", "segment")
        return asked and "coco" in layouts_of(Path(location))

    def read(self, location: str, options: ReadOptions) -> Dataset:
        path = checked_path(location)
        refuse_columns(options)
        files = list(coco_files(path))
        if not files:
            trouble = f"{shown(location, 200)} holds no COCO file of instances"
            raise DataError(f"{trouble}; expected a .json with images, annotations, categories")
        root = _root(path)
        found = _Found(root, Shelf(list_pictures(root).pictures))
        for file in files:
            found.add(file)
        if options.job == "segment":
            return outlines_dataset(found.outlined(location), location, options)
        return boxes_dataset(found.annotations(location), location, options)


@dataclass
class _Found:
    """The pictures of all files, with what the files say of them."""

    root: Path
    shelf: Shelf
    rows: dict[PurePosixPath, Row] = field(default_factory=dict)
    classes: dict[str, None] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    digest: bytes = b""

    def add(self, file: Path) -> None:
        """Take in what one file says.

        Raises:
            DataError: it is no file of instances, or has a picture of another file.
        """
        content = content_of(file, growth=GROWTH)
        instances = parse_coco(content, str(file))
        self.digest += hashlib.sha256(content).digest()
        self.classes |= dict.fromkeys(instances.classes)
        self.stray += instances.stray
        home = PurePosixPath(os.path.relpath(file.parent, self.root))
        sealed = (part_of(file.stem) or part_of(home.name)) == "test"
        for picture in instances.pictures:
            path = self.shelf.find(picture.file, home, file.stem.removeprefix("instances_"))
            if path is None:
                self.missing.append(plain_name(picture.file))
                continue
            if path in self.rows:
                trouble = f"{shown(file, 200)}: {shown(plain_name(str(path)))} is annotated twice"
                raise DataError(f"{trouble}; leave one of the two out")
            self.rows[path] = path, picture, sealed

    def findings(self, location: str) -> list[Finding]:
        """Return remarks on what is left out.

        Raises:
            DataError: no picture is there.
        """
        if self.missing and not self.rows:
            trouble = f"{shown(location, 200)}: {len(self.missing)} pictures are annotated and not"
            remedy = "put the pictures beside the .json"
            raise DataError(f"{trouble} there: {listed(self.missing, 2)}; {remedy}")
        remarks = []
        if self.missing:
            message = f"{len(self.missing)} pictures are annotated and not there"
            message = f"{message}: {listed(self.missing, 3)}"
            rows = tuple(self.missing[:20])
            remarks.append(Finding("unpaired", "warning", message, "", rows))
        if self.stray:
            message = f"{len(self.stray)} annotations are of no picture: {self.stray[0]}"
            rows = tuple(self.stray[:20])
            remarks.append(Finding("unpaired", "warning", message, "", rows))
        return remarks

    def annotations(self, location: str) -> Annotations:
        """Return boxes."""
        sheets, remarks = [_sheet(*row) for row in self.rows.values()], self.findings(location)
        return Annotations(self.root, "coco", sheets, (*self.classes,), self.digest, remarks)

    def outlined(self, location: str) -> Outlined:
        """Return outlines."""
        rows, remarks = [*self.rows.values()], self.findings(location)
        return Outlined(self.root, rows, (*self.classes,), self.digest, remarks)


def _sheet(path: PurePosixPath, picture: CocoPicture, sealed: bool) -> Sheet:
    marks = [Mark(one.name, one.edges, one.where) for one in picture.objects if not one.crowd]
    crowds = len(picture.objects) - len(marks)
    return Sheet(path, marks, picture.size, sealed, picture.troubles, crowds)


def _root(path: Path) -> Path:
    """Return the folder to look in: of a single file its own, or the one above annotations/."""
    if path.is_dir():
        return path
    above = path.parent
    return above.parent if above.name.casefold() == "annotations" else above


SOURCE = Coco()
