"""A table of recordings beside them, as ESC-50 and UrbanSound8K have one: file, class, fold."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gradatim.core.errors import ConfigError, DataError, nearest
from gradatim.core.samples import Finding
from gradatim.core.source import ReadOptions
from gradatim.data.naming import listed, plain_name, shown
from gradatim.data.pictures.listing import Listing
from gradatim.data.tables.cells import TextCells
from gradatim.data.tables.delimited import read_delimited

__all__ = ["Entries", "find_catalogue", "read_catalogue"]

FOLDERS = ("", "meta", "metadata")
FILES = ("filename", "file_name", "slice_file_name", "file", "path")
CLASSES = ("category", "class", "label", "target")
FOLD = "fold"
MISSING_SHARE = 0.2


@dataclass(frozen=True)
class Entries:
    """What a table says of recordings that are there."""

    files: tuple[PurePosixPath, ...]
    labels: tuple[str, ...]
    groups: tuple[str, ...] | None
    findings: tuple[Finding, ...]


def find_catalogue(root: Path) -> Path | None:
    """Return the one table of recordings in a folder, its `meta` or its `metadata`.

    A table is one whose first line names a column of files and one of classes.

    Raises:
        ConfigError: there are several.
    """
    tables = [path for folder in FOLDERS for path in sorted((root / folder).glob("*.csv"))]
    known = [path for path in tables if _names_files(path)]
    if len(known) > 1:
        names = listed([plain_name(path.name) for path in known])
        raise ConfigError(f"{names} are all tables of recordings; leave one of them in the folder")
    return known[0] if known else None


def _names_files(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = [cell.strip().lower() for cell in next(csv.reader([file.readline()]), [])]
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return bool(set(header) & set(FILES)) and bool(set(header) & set(CLASSES))


def read_catalogue(
    path: Path, root: Path, location: str, listing: Listing, options: ReadOptions
) -> Entries:
    """Return file, class and group of every recording of a table.

    The column of classes is `options.target`, else the first that is called category, class, label
    or target. That of groups is `options.group`, else `fold`: recordings of one fold were cut from
    the same sources, and stay together.

    Args:
        path: of the table.
        root: of the listing.
        location: as the user gave it.
        listing: what lies in the folder.
        options: which column is what.

    Raises:
        ConfigError: a column that is asked for is not there.
        DataError: above 20 % of the recordings are not there, or a class is missing.
    """
    if options.time:
        raise ConfigError("recordings have no times; leave out --time")
    cells, _ = read_delimited(path, str(path), options)
    columns = {column.name: column for column in cells}
    files = _texts(_one_of(columns, FILES, None, path, "file"))
    labels = _texts(_one_of(columns, CLASSES, options.target, path, "target"))
    fold = options.group or (FOLD if FOLD in columns else None)
    groups = _texts(_one_of(columns, (), fold, path, "group")) if fold else None
    places = _places(files, listing)
    _refuse_gaps(files, places, location)
    rows = [row for row, place in enumerate(places) if place is not None]
    _refuse_blanks([labels[row] for row in rows], [files[row] for row in rows], path)
    return Entries(
        tuple(place for place in places if place is not None),
        tuple(labels[row] for row in rows),
        None if groups is None else tuple(groups[row] for row in rows),
        _remarks(path, root, files, places, options, fold),
    )


def _one_of(
    columns: dict[str, TextCells], usual: Sequence[str], asked: str | None, path: Path, role: str
) -> TextCells:
    names = {name.lower(): name for name in columns}
    found = [asked] if asked else [names[name] for name in usual if name in names][:1]
    if not found or found[0] not in columns:
        name = asked or usual[0]
        hint = nearest(name, columns)
        raise ConfigError(f"{shown(path.name)} has no column {shown(name)} for --{role}; {hint}")
    return columns[found[0]]


def _texts(cells: TextCells) -> list[str]:
    return [cells.distinct[code] for code in cells.codes.tolist()]


def _places(files: Sequence[str], listing: Listing) -> list[PurePosixPath | None]:
    """Return where the file of each row lies: where the row says, or anywhere by its name."""
    exact = {plain_name(str(place)): place for place in listing.pictures}
    by_name: dict[str, list[PurePosixPath]] = {}
    for place in listing.pictures:
        by_name.setdefault(plain_name(place.name), []).append(place)
    found = []
    for file in files:
        near = by_name.get(PurePosixPath(file).name, [])
        found.append(exact.get(file) or (near[0] if len(near) == 1 else None))
    return found


def _refuse_gaps(
    files: Sequence[str], places: Sequence[PurePosixPath | None], location: str
) -> None:
    lost = [file for file, place in zip(files, places, strict=True) if place is None]
    if len(lost) > MISSING_SHARE * len(files):
        share = f"{len(lost)} of {len(files)} recordings of the table are not there"
        raise DataError(f"{shown(location, 200)}: {share}; the first: {shown(lost[0], 200)}")


def _refuse_blanks(labels: Sequence[str], files: Sequence[str], path: Path) -> None:
    blank = [file for file, label in zip(files, labels, strict=True) if not label]
    if blank:
        trouble = f"{len(blank)} recordings have no class: {listed(blank, 3)}"
        raise DataError(f"{shown(path.name)}: {trouble}; complete these rows or remove them")


def _remarks(
    path: Path,
    root: Path,
    files: Sequence[str],
    places: Sequence[PurePosixPath | None],
    options: ReadOptions,
    fold: str | None,
) -> tuple[Finding, ...]:
    said = f"{shown(plain_name(str(path.relative_to(root))))} says the class of each recording"
    if fold and not options.group:
        said += f", and its column {shown(fold)} which belong together"
    findings = [Finding("catalogue", "note", said)]
    lost = [file for file, place in zip(files, places, strict=True) if place is None]
    if lost:
        message = f"{len(lost)} recordings of the table are not there: {listed(lost, 3)}"
        remedy = "copy them into the folder, or remove their rows"
        findings.append(Finding("missing-files", "warning", message, remedy, tuple(lost[:5])))
    return tuple(findings)
