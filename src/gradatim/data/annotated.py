"""Which layout of annotated pictures a folder has, told by its structure alone."""

import mmap
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from gradatim.core.errors import ConfigError
from gradatim.core.source import ReadOptions
from gradatim.data.masks.pairs import folders_in, has_pairs
from gradatim.data.naming import listed
from gradatim.data.pictures.classes import PARTS
from gradatim.data.pictures.listing import ENDINGS, list_pictures

__all__ = ["coco_files", "layouts_of", "one_picture", "only_pictures"]
__all__ += ["refuse_columns", "subfolder"]


def refuse_columns(options: ReadOptions) -> None:
    """Refuse what means nothing for annotated pictures.

    Raises:
        ConfigError: a column, or a pattern of file names, was asked for.
    """
    columns = [name for name in (options.target, options.group, options.time) if name]
    if columns and options.signature is None:
        raise ConfigError(f"pictures have no columns; leave out {listed(columns)}")
    if options.names:
        raise ConfigError(
            "annotations say what is in a picture; leave out --names, which is for labels in names"
        )


def layouts_of(path: Path) -> set[str]:
    """Return the sources whose layout a location has: some of voc, coco, yolo, masks."""
    found = set()
    if path.is_dir():
        annotations = subfolder(path, "annotations")
        if annotations and any((path / annotations).glob("*.[xX][mM][lL]")):
            found.add("voc")
        if any(_yolo_labels(base) for base in (path, *_parts(path))):
            found.add("yolo")
        if has_pairs(path):
            found.add("masks")
    if any(True for _ in coco_files(path)):
        found.add("coco")
    return found


def subfolder(root: Path, name: str) -> str | None:
    """Return how a folder's own name is spelled, whatever its case; None when there is none.

    Args:
        root: where to look.
        name: in small letters.
    """
    spelled = (folder.name for folder in folders_in(root))
    return next((found for found in spelled if found.casefold() == name), None)


def only_pictures(location: str) -> bool:
    """Tell whether a location is a folder or a single picture."""
    path = Path(location)
    return path.is_dir() or path.suffix.lower() in ENDINGS


def one_picture(path: Path) -> tuple[Path, list[PurePosixPath]]:
    """Return a root and the pictures under it: one for a file, all for a folder."""
    if path.is_file():
        return path.parent, [PurePosixPath(path.name)]
    return path, list_pictures(path).pictures


def coco_files(path: Path) -> Iterator[Path]:
    """Yield the files of instances as COCO has them: at the top, in annotations/ or in parts.

    Where some are called instances_..., those of captions and keypoints beside them do not count.
    """
    if path.is_file():
        folders, files = [], [path]
    elif path.is_dir():
        annotations = subfolder(path, "annotations")
        folders = [path, *([path / annotations] if annotations else []), *_parts(path)]
        files = [file for folder in folders for file in sorted(folder.glob("*.json"))]
    else:
        return
    named = [file for file in files if file.name.startswith("instances")]
    for file in named or files:
        if file.suffix.lower() == ".json" and _speaks_of_instances(file):
            yield file


def _parts(root: Path) -> list[Path]:
    return [folder for folder in folders_in(root) if folder.name.casefold() in PARTS]


def _yolo_labels(base: Path) -> bool:
    images, labels = subfolder(base, "images"), subfolder(base, "labels")
    return bool(images and labels) and any((base / str(labels)).rglob("*.txt"))


def _speaks_of_instances(file: Path) -> bool:
    """Look for the keys of COCO without reading a large file into memory."""
    if not file.is_file() or not file.stat().st_size:
        return False
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return text.find(b'"images"') >= 0 and text.find(b'"annotations"') >= 0
