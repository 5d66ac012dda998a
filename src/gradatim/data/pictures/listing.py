"""The files of a folder: nothing hidden, nothing outside, no link that goes round in circles."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.data.naming import listed, plain_name, shown

__all__ = ["ENDINGS", "Listing", "list_pictures"]

ENDINGS = {".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
ENDINGS |= {".ppm", ".pgm", ".pbm", ".pnm"}
_IGNORED = {"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"}


@dataclass
class Listing:
    """Pictures and folders, relative to the root, and what was passed over.

    `kind` is what the files are to a person, known by their `endings`; of recordings `pictures`
    has the files too.
    """

    pictures: list[PurePosixPath] = field(default_factory=list)
    folders: list[PurePosixPath] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    kind: str = "pictures"
    endings: frozenset[str] = frozenset(ENDINGS)

    def findings(self) -> list[Finding]:
        """Return remarks on what was passed over."""
        remarks = []
        if self.links:
            message = f"{len(self.links)} links are not followed: {listed(self.links, 3)}"
            remedy = "copy what they point to into the folder"
            remarks.append(Finding("links", "warning", message, remedy, tuple(self.links[:5])))
        if self.others:
            kinds = Counter(PurePosixPath(name).suffix or "no ending" for name in self.others)
            counts = listed([f"{kind} ({n})" for kind, n in kinds.most_common()], 5)
            message = f"{len(self.others)} files are no {self.kind} by their name: {counts}"
            remarks.append(Finding("other-files", "note", message))
        return remarks


def list_pictures(root: Path, listing: Listing | None = None) -> Listing:
    """Return everything under a folder that is named like a picture, or as `listing` says.

    Hidden entries and the litter of file managers are passed over in silence. A link counts when
    it leads to a file inside the folder; links to folders never do.

    Raises:
        DataError: a folder may not be read.
    """
    listing, waiting = listing or Listing(), [PurePosixPath()]
    inside = os.path.realpath(root)
    while waiting:
        folder = waiting.pop()
        for entry in _entries(root / folder):
            if entry.name.startswith(".") or entry.name.casefold() in _IGNORED:
                continue
            place = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                listing.folders.append(place)
                waiting.append(place)
            else:
                _sort_in(entry, place, inside, listing)
    return listing


def _sort_in(entry: os.DirEntry[str], place: PurePosixPath, inside: str, listing: Listing) -> None:
    name = plain_name(str(place))
    if entry.is_symlink() and not _stays(entry, inside):
        listing.links.append(name)
    elif place.suffix.lower() in listing.endings and _is_file(entry):
        listing.pictures.append(place)
    else:
        listing.others.append(name)


def _stays(entry: os.DirEntry[str], inside: str) -> bool:
    target = os.path.realpath(entry.path)
    return target.startswith(inside.rstrip(os.sep) + os.sep) and Path(target).is_file()


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        name = shown(plain_name(str(folder)), 200)
        raise DataError(f"{name}: {error.strerror}; make the folder readable") from error
