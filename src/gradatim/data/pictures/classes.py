"""Which class a picture is of and which part it belongs to, from its path alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from gradatim.core.samples import Finding
from gradatim.data.file_names import LABEL, fields_of
from gradatim.data.naming import listed, plain_name, shown, sorted_names
from gradatim.data.pictures.listing import Listing

__all__ = ["Layout", "layout_by_names", "layout_of", "parts_of"]

PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Layout:
    """Pictures in class folders, in natural order.

    `classes` are the names of all class folders, those of the test part last and only when no
    other part has them; `sealed` tells for each picture whether it is of the test part. `groups`
    has the group of each picture, where names tell it.
    """

    pictures: tuple[PurePosixPath, ...]
    labels: tuple[str, ...]
    sealed: tuple[bool, ...] | None
    classes: tuple[str, ...]
    loose: int
    findings: tuple[Finding, ...]
    groups: tuple[str, ...] | None = None


def layout_of(listing: Listing) -> Layout:
    """Return the classes of a listing; `train/` and `test/` of class folders are its split."""
    parts = parts_of(listing)
    depth = 2 if parts else 1
    known = [p for p in listing.pictures if len(p.parts) > depth and _within(p, parts)]
    folders = [p for p in listing.folders if len(p.parts) == depth and _within(p, parts)]
    order = {name: i for i, name in enumerate(sorted_names({str(p) for p in known}))}
    pictures = sorted(known, key=lambda p: order[str(p)])
    sealed = tuple(parts[p.parts[0]] == "test" for p in pictures) if parts else None
    learnt = [p for p in folders if not parts or parts[p.parts[0]] != "test"]
    return Layout(
        tuple(pictures),
        tuple(plain_name(p.parts[depth - 1]) for p in pictures),
        sealed,
        tuple(sorted_names({plain_name(p.name) for p in learnt})),
        len(listing.pictures) - len(known),
        tuple(_remarks(listing, parts, len(listing.pictures) - len(known))),
    )


def layout_by_names(listing: Listing, pattern: str, group: str | None, location: str) -> Layout:
    """Return the classes, and groups if asked for, that the names of files say.

    Args:
        listing: of all files below the folder.
        pattern: such as "{label}_{patient}.png"; see `file_names.compiled`.
        group: the field whose equal values stay together.
        location: as the user gave it, for messages.
    """
    order = sorted_names(str(p) for p in listing.pictures)
    fields = fields_of(pattern, [plain_name(name) for name in order], location)
    marks = fields.chosen(group, "--group") if group else None
    rows = [row for row, fits in enumerate(fields.fits) if fits]
    pictures = tuple(PurePosixPath(order[row]) for row in rows)
    labels = tuple(fields.values[LABEL][row] for row in rows)
    parts = parts_of(listing)
    sealed = tuple(parts.get(p.parts[0]) == "test" for p in pictures)
    learnt = {label for label, test in zip(labels, sealed, strict=True) if not test}
    strange = [name for name, fits in zip(order, fields.fits, strict=True) if not fits]
    return Layout(
        pictures,
        labels,
        sealed if parts else None,
        tuple(sorted_names(learnt)),
        len(strange),
        _left_out(strange),
        None if marks is None else tuple(marks[row] for row in rows),
    )


def _left_out(names: Sequence[str]) -> tuple[Finding, ...]:
    if not names:
        return ()
    message = f"{len(names)} names do not fit the pattern: {listed(names, 3)}; they are left out"
    return (Finding("names", "warning", message, f"rename {shown(names[0])}", tuple(names[:5])),)


def parts_of(listing: Listing) -> dict[str, str]:
    """Return the folders that are parts of the data; none unless there are both train and test."""
    tops = {p.parts[0] for p in listing.folders if len(p.parts) > 1}
    parts = {top: PARTS[top.casefold()] for top in tops if top.casefold() in PARTS}
    return parts if {"train", "test"} <= set(parts.values()) else {}


def _within(path: PurePosixPath, parts: dict[str, str]) -> bool:
    return not parts or path.parts[0] in parts


def _remarks(listing: Listing, parts: dict[str, str], loose: int) -> Sequence[Finding]:
    remarks = []
    if loose:
        message = f"{loose} {listing.kind} are in no class folder and are left out"
        remarks.append(Finding("loose", "warning", message, "move them into the folder of a class"))
    joined = sorted(part for part, meaning in parts.items() if meaning == "validation")
    if joined:
        message = f"{listed(joined)} is learnt from like train; the folds are drawn anew"
        remarks.append(Finding("validation-part", "note", message))
    if not listing.pictures:
        return []
    return remarks
