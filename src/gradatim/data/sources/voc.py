"""Pictures with boxes as Pascal VOC has them: Annotations, JPEGImages, ImageSets/Main."""

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import ClassVar

from gradatim.core.errors import DataError
from gradatim.core.samples import Dataset, Finding
from gradatim.core.source import ReadOptions, Source
from gradatim.data.annotated import (
    layouts_of,
    one_picture,
    only_pictures,
    refuse_columns,
    subfolder,
)
from gradatim.data.boxes.assembly import Annotations, boxes_dataset, unannotated
from gradatim.data.boxes.voc import parse_voc
from gradatim.data.files import checked_path, content_of
from gradatim.data.many_files import refuse_many
from gradatim.data.naming import listed, plain_name, shown, sorted_names
from gradatim.data.pictures.listing import Listing, list_pictures

__all__ = ["SOURCE", "Voc"]

_LISTS = ("train", "val", "trainval")


class Voc(Source):
    """Annotations/NAME.xml beside JPEGImages/NAME.*; ImageSets/Main/test.txt is kept apart.

    The pictures may also lie in images/. Without lists every annotated picture is learnt from.
    """

    summary: ClassVar[str] = (
        "pictures with boxes, Pascal VOC; ImageSets/Main/test.txt is kept apart"
    )

    def claims(self, location: str, options: ReadOptions) -> bool:
        if options.job not in (None, "detect"):
            return False
        layouts = layouts_of(Path(location))
        # A model that finds boxes takes plain pictures too.
        return "voc" in layouts or (
            options.job == "detect" and not layouts & {"coco", "yolo"} and only_pictures(location)
        )

    def read(self, location: str, options: ReadOptions) -> Dataset:
        path = checked_path(location)
        refuse_columns(options)
        if "voc" in layouts_of(path):
            return boxes_dataset(_annotations(path, location), location, options)
        if options.signature is None:
            trouble = f"{shown(location, 200)} holds no boxes to learn from"
            expected = "Annotations/*.xml (VOC), a COCO .json, or labels/*.txt (YOLO)"
            raise DataError(f"{trouble}; expected beside the pictures: {expected}")
        root, pictures = one_picture(path)
        return unannotated(root, pictures, location, options)


def _annotations(root: Path, location: str) -> Annotations:
    """Return the annotations of all pictures that a list names, or of all there are."""
    folder = subfolder(root, "annotations")
    assert folder is not None, "the layout was looked at"
    files = _by_stem(root, folder, Listing(kind="annotations", endings=frozenset({".xml"})))
    pictures, lists = _by_stem(root, _home(root, location), Listing()), _lists(root)
    test = lists.get("test", set())
    learnt = set().union(*(names for part, names in lists.items() if part != "test"))
    # A test list alone leaves everything else to learn from.
    named = test | learnt if learnt else set(files) | set(pictures)
    both = {stem: (files[stem], pictures[stem]) for stem in named & set(files) & set(pictures)}
    made, broken = _parsed(root, both, test, location)
    made.findings += _findings(
        {
            "have a broken annotation and are left out": broken,
            "have no annotation": (set(pictures) & named) - set(files),
            "are annotated, and are not there": (set(files) & named) - set(pictures),
            "are in a list, and are not there": (test | learnt) - set(files) - set(pictures),
            "are annotated, and in no list": set(files) - named,
            "are in the test list and in another: they count as test": test & learnt,
        }
    )
    return made


def _parsed(
    root: Path,
    both: Mapping[str, tuple[PurePosixPath, PurePosixPath]],
    test: set[str],
    location: str,
) -> tuple[Annotations, set[str]]:
    """Return what files of annotations say of pictures, and those that say nothing."""
    digest, sheets, broken = hashlib.sha256(), [], dict[str, str]()
    for stem in sorted_names(both):
        (file, picture), sealed = both[stem], stem in test
        name = plain_name(str(file))
        try:
            content = content_of(root / file)
            sheets.append(parse_voc(content, picture, name, sealed=sealed))
        except DataError as error:
            broken[stem] = str(error)
            continue
        digest.update(f"{stem}\0{sealed}\0".encode() + hashlib.sha256(content).digest())
    refuse_many(list(broken.values()), len(both), location)
    return Annotations(root, "voc", sheets, None, digest.digest()), set(broken)


def _by_stem(root: Path, folder: str, listing: Listing) -> dict[str, PurePosixPath]:
    """Return the files of a folder by their names without ending."""
    found: dict[str, PurePosixPath] = {}
    for path in list_pictures(root / folder, listing).pictures:
        stem = plain_name(path.stem)
        if stem in found:
            names = listed([plain_name(str(p)) for p in (found[stem], folder / path)])
            trouble = f"{shown(root, 200)}: {names} are {listing.kind} of one name"
            raise DataError(f"{trouble}; keep one of them")
        found[stem] = folder / path
    return found


def _home(root: Path, location: str) -> str:
    """Return the folder of the pictures."""
    for name in ("jpegimages", "images", "img", "image"):
        folder = subfolder(root, name)
        if folder is not None:
            return folder
    trouble = f"{shown(location, 200)} has Annotations and no pictures"
    raise DataError(f"{trouble}; put them into JPEGImages or images beside it")


def _lists(root: Path) -> Mapping[str, set[str]]:
    """Return the names in each list of ImageSets/Main; lists of single classes do not count."""
    folder = root / "ImageSets" / "Main"
    found = {}
    for part in (*_LISTS, "test"):
        path = folder / f"{part}.txt"
        if path.is_file() and path.stat().st_size:
            lines = content_of(path).decode("utf-8-sig", "replace").splitlines()
            found[part] = {line.strip() for line in lines if line.strip()}
    return found


def _findings(troubles: Mapping[str, set[str]]) -> list[Finding]:
    made = []
    for what, names in troubles.items():
        if names:
            order = sorted_names(names)
            message = f"{len(order)} pictures {what}: {listed(order, 3)}"
            made.append(Finding("unpaired", "warning", message, "", tuple(order[:20])))
    return made


SOURCE = Voc()
