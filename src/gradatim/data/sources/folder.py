"""Pictures in folders, a folder a class; `train/` and `test/` are the data's own split."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
import torch

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset, Finding, Samples
from gradatim.core.signature import Category, Density, Image, Signature
from gradatim.core.source import ReadOptions, Source
from gradatim.data.annotated import layouts_of
from gradatim.data.file_names import group_codes
from gradatim.data.files import checked_path
from gradatim.data.many_files import quarantined
from gradatim.data.naming import listed, plain_name, shown, sorted_names
from gradatim.data.origin import Origin, what_to_give
from gradatim.data.pairs.languages import asks_to_translate
from gradatim.data.pairs.lines import holds_pairs
from gradatim.data.pictures.classes import Layout, layout_by_names, layout_of
from gradatim.data.pictures.decoding import (
    Decoded,
    colourless,
    common_shape,
    decode_files,
    disguises,
    headers_of,
)
from gradatim.data.pictures.listing import ENDINGS, Listing, list_pictures
from gradatim.data.sounds.listing import holds_sounds
from gradatim.data.tables.targets import no_targets, twin_findings
from gradatim.data.text.telling import holds_text

__all__ = ["SOURCE", "Folder"]


class Folder(Source):
    """A folder a class; to predict, also a flat folder or a single picture."""

    summary: ClassVar[str] = "pictures, a folder a class; train/ and test/ are kept apart"

    def claims(self, location: str, options: ReadOptions) -> bool:
        path = Path(location)
        if options.job not in (None, "classify", "regress") or asks_to_translate(options):
            return False
        if path.is_dir():
            told = options.job is None and (
                layouts_of(path) or holds_text(path) or holds_pairs(path, options)
            )
            return not (told or any(path.glob("*-idx?-ubyte*")) or holds_sounds(path))
        return path.suffix.lower() in ENDINGS

    def read(self, location: str, options: ReadOptions) -> Dataset:
        path = checked_path(location)
        group = None if options.names else options.group
        asked = [name for name in (options.target, group, options.time) if name]
        if asked and options.signature is None:
            hint = "; groups come from --names, such as {label}_{patient}.png" if group else ""
            raise ConfigError(f"pictures have no columns; leave out {listed(asked)}{hint}")
        if path.is_file():
            listing, path = Listing([PurePosixPath(path.name)]), path.parent
        else:
            listing = list_pictures(path)
        if not listing.pictures:
            raise DataError(f"{shown(location, 200)} holds no pictures; {_instead(listing)}")
        if options.signature is not None:
            return _code(path, location, listing, options)
        return _learn(path, location, listing, options)


@dataclass(frozen=True)
class _Labelled:
    pictures: Sequence[PurePosixPath]
    codes: np.ndarray | None
    sealed: np.ndarray | None
    groups: Sequence[str] | None = None


def _learn(root: Path, location: str, listing: Listing, options: ReadOptions) -> Dataset:
    if options.task == "regress":
        raise ConfigError("folders of pictures are classes; leave out --task regress")
    if options.names:
        layout = layout_by_names(listing, options.names, options.group, location)
    else:
        layout = layout_of(listing)
    alone = options.rows_alone and len(layout.classes) < 2
    if not alone:
        _refuse_layout(layout, location)
    labelled = _unlabelled(listing) if alone else _labelled(layout, layout.classes)
    files = [root / picture for picture in labelled.pictures]
    names = _names(labelled.pictures)
    headers = headers_of(files, names)
    image, resized = common_shape(headers, location)
    output = Density() if alone else Category(name="class", names=layout.classes)
    decoded = decode_files(files, names, image, location)
    if isinstance(output, Category):
        _refuse_empty_class(labelled, decoded, output, location)
    if image.channels == 3 and colourless(decoded.planes):
        image = image.model_copy(update={"channels": 1})
        decoded = replace(decoded, planes=decoded.planes[:, :1].copy())
    signature = Signature(input=image, output=output)
    odd = [*resized, *disguises(headers, names)]
    remarks = [*layout.findings, *odd, *twin_findings(list(layout.classes))]
    return _dataset(labelled, decoded, signature, location, [*listing.findings(), *remarks])


def _code(root: Path, location: str, listing: Listing, options: ReadOptions) -> Dataset:
    signature = options.signature
    assert signature is not None, "the caller looked"
    if not isinstance(signature.input, Image):
        raise DataError(f"{shown(location, 200)} holds pictures; {what_to_give(signature.input)}")
    labelled = _recognised(listing, signature, location, options.names)
    files = [root / picture for picture in labelled.pictures]
    decoded = decode_files(files, _names(labelled.pictures), signature.input, location)
    return _dataset(labelled, decoded, signature, location, listing.findings())


def _recognised(
    listing: Listing, signature: Signature, location: str, names: str | None
) -> _Labelled:
    """Return pictures, with classes when folders or files are called like the model's classes."""
    layout = layout_by_names(listing, names, None, location) if names else layout_of(listing)
    output = signature.output
    found = set(layout.labels)
    if not isinstance(output, Category) or not found & set(output.names):
        return _unlabelled(listing)
    strange = sorted_names(found - set(output.names))
    if strange:
        trouble = f"{shown(location, 200)}: the model knows no class {listed(strange, 5)}"
        raise DataError(f"{trouble}; it knows {listed(output.names)}")
    return _labelled(layout, output.names)


def _unlabelled(listing: Listing) -> _Labelled:
    order = sorted_names(str(picture) for picture in listing.pictures)
    return _Labelled([PurePosixPath(name) for name in order], None, None)


def _labelled(layout: Layout, names: Sequence[str]) -> _Labelled:
    place = {name: code for code, name in enumerate(names)}
    codes = np.array([place[label] for label in layout.labels], np.int64)
    sealed = None if layout.sealed is None else np.array(layout.sealed, bool)
    return _Labelled(layout.pictures, codes, sealed, layout.groups)


def _dataset(
    labelled: _Labelled,
    decoded: Decoded,
    signature: Signature,
    location: str,
    findings: list[Finding],
) -> Dataset:
    good, names = decoded.good, _names(labelled.pictures)
    rows = [name for name, usable in zip(names, good, strict=True) if usable]
    sealed = None if labelled.sealed is None else labelled.sealed[good]
    origin = Origin(location, rows, "folder", decoded.fingerprint, sealed)
    planes = decoded.planes if good.all() else decoded.planes[good]
    codes = None if labelled.codes is None else torch.from_numpy(labelled.codes[good])
    targets = no_targets(signature.output) if codes is None else codes
    marks, group_names = (None, ()) if labelled.groups is None else group_codes(labelled.groups)
    groups = None if marks is None else torch.from_numpy(marks[good])
    samples = Samples(torch.from_numpy(planes), targets, groups)
    findings = findings + quarantined(names, good, decoded.troubles)
    return replace(origin.dataset(samples, signature, findings), group_names=group_names)


def _refuse_layout(layout: Layout, location: str) -> None:
    where = shown(location, 200)
    if not layout.pictures:
        trouble = f"{where}: no picture is in the folder of a class"
        raise DataError(f"{trouble}; put the pictures of each class into a folder of its name")
    strange = sorted_names(set(layout.labels) - set(layout.classes))
    if strange:
        trouble = f"{where}: the test part has classes that train lacks: {listed(strange, 5)}"
        raise DataError(f"{trouble}; add pictures of them to train, or remove them")
    if len(layout.classes) < 2:
        trouble = f"{where} has one class only, {listed(layout.classes)}"
        raise DataError(f"{trouble}; add a folder with pictures of another class")


def _refuse_empty_class(
    labelled: _Labelled, decoded: Decoded, output: Category, location: str
) -> None:
    assert labelled.codes is not None, "learning needs classes"
    usable = decoded.good if labelled.sealed is None else decoded.good & ~labelled.sealed
    counts = np.bincount(labelled.codes[usable], minlength=len(output.names))
    empty = [name for name, count in zip(output.names, counts, strict=True) if not count]
    if empty:
        trouble = f"{shown(location, 200)}: no usable picture in class {listed(empty, 5)}"
        raise DataError(f"{trouble}; add pictures or remove the folder")


def _names(pictures: Sequence[PurePosixPath]) -> list[str]:
    return [plain_name(str(picture)) for picture in pictures]


def _instead(listing: Listing) -> str:
    if listing.links:
        return f"{listed(listing.links, 3)} are links that lead out: copy the pictures into it"
    known = f"known endings: {', '.join(sorted(ENDINGS))}"
    return (
        f"it holds {listed(sorted(listing.others), 3)}: name one file" if listing.others else known
    )


SOURCE = Folder()
