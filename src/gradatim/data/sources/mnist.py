"""MNIST and its kin (Fashion, Kuzushiji, EMNIST): IDX files, packed or not."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset
from gradatim.core.source import ReadOptions, Source
from gradatim.data.files import checked_path
from gradatim.data.naming import listed, shown
from gradatim.data.origin import Origin
from gradatim.data.pictures.arrays import dataset_from_pictures
from gradatim.data.pictures.idx import read_idx
from gradatim.data.tables.cells import TextCells

__all__ = ["SOURCE", "Mnist"]

PARTS = ("train", "t10k")


class Mnist(Source):
    """A folder with `train-images-idx3-ubyte` and its kin; the t10k part is sealed."""

    summary: ClassVar[str] = "a folder of IDX files (MNIST and its kin); t10k is kept apart"

    def claims(self, location: str, options: ReadOptions) -> bool:
        path = Path(location)
        return path.is_dir() and any(path.glob("*-idx?-ubyte*"))

    def read(self, location: str, options: ReadOptions) -> Dataset:
        folder = checked_path(location, "folder")
        asked = [name for name in (options.target, options.group, options.time) if name]
        if asked and options.signature is None:
            raise ConfigError(f"pictures have no columns; leave out {listed(asked)}")
        present = [part for part in PARTS if _find(folder, f"{part}-images-idx3-ubyte")]
        if not present:
            expected = "no train-images-idx3-ubyte or t10k-images-idx3-ubyte, with .gz or without"
            raise DataError(f"{shown(location, 200)} has {expected}; add the files")
        parts = [_part(folder, part) for part in present]
        return _dataset(parts, present, location, options)


Part = tuple[np.ndarray, np.ndarray, bytes]


def _find(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)


def _part(folder: Path, part: str) -> Part:
    paths = [_find(folder, f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")]
    images, labels = paths
    if images is None or labels is None:
        trouble = f"{shown(folder, 200)} has {part} pictures and no {part}-labels-idx1-ubyte"
        raise DataError(f"{trouble}; add the file, with .gz or without")
    checked_path(str(images), "file")
    checked_path(str(labels), "file")
    pictures, first = read_idx(images, 3)
    codes, second = read_idx(labels, 1)
    if len(pictures) != len(codes):
        counts = f"{len(pictures)} pictures and {len(codes)} labels in the {part} part"
        raise DataError(f"{shown(folder, 200)} has {counts}; download both files again")
    return pictures, codes, hashlib.sha256(first).digest() + hashlib.sha256(second).digest()


def _dataset(parts: list[Part], names: list[str], location: str, options: ReadOptions) -> Dataset:
    if len({pictures.shape[1:] for pictures, _, _ in parts}) > 1:
        raise DataError(f"{shown(location, 200)}: pictures of two sizes; give parts that fit")
    planes = np.concatenate([pictures for pictures, _, _ in parts])[:, None]
    codes = np.concatenate([labels for _, labels, _ in parts])
    rows = [f"{n}/{i}" for n, part in zip(names, parts, strict=True) for i in range(len(part[1]))]
    sealed = np.repeat([name == "t10k" for name in names], [len(part[1]) for part in parts])
    mark = hashlib.sha256(b"".join(digest for _, _, digest in parts)).hexdigest()
    origin = Origin(location, rows, "mnist", mark, sealed if len(parts) > 1 else None)
    values, index = np.unique(codes, return_inverse=True)
    target = TextCells("digit", index, tuple(str(value) for value in values))
    if 0 in planes.shape:
        raise origin.error(f"the pictures have shape {planes.shape}", "download the files again")
    # Labels are names: EMNIST has 47 of them, which would else be taken as a quantity.
    options = replace(options, task=options.task or "classify")
    return dataset_from_pictures(planes, target, origin, options)


SOURCE = Mnist()
