"""Files of text: read, decoded, put one after the other, and where a character stands in them."""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path, PurePosixPath

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.data.files import content_of
from gradatim.data.naming import plain_name, shown, sorted_names
from gradatim.data.pictures.listing import Listing, list_pictures
from gradatim.data.tables.delimited import decoded
from gradatim.data.text.telling import ENDINGS

__all__ = ["Writing", "read_writing"]

GROWTH = 20.0
"""Bytes of memory for a byte of text: its characters as numbers, twice, and as Python has them."""
BINARY = frozenset(map(chr, range(32))) - set("\t\n\v\f\r\x1a\x1b")


@dataclass(frozen=True)
class Writing:
    """The text of all files, the characters of each, their names, and the hash of their bytes."""

    text: str
    lengths: list[int]
    names: list[str]
    fingerprint: str
    findings: list[Finding]

    def lines(self, starts: Sequence[int]) -> list[str]:
        """Return where passages begin: the line, and the character in it from the second one on.

        Args:
            starts: of the passages, as numbers of characters.
        """
        first = [0, *accumulate(self.lengths)]
        breaks = [-1, *(found.start() for found in re.finditer("\n", self.text))]
        told, last = [], (-1, -1)
        for start in starts:
            file = bisect_right(first, start) - 1
            line = bisect_right(breaks, start - 1) - 1
            # The lines of a file are counted from its own first one.
            above = bisect_right(breaks, first[file] - 1) - 1
            begins = max(breaks[line] + 1, first[file])
            name = f"line {line - above + 1}"
            if (file, line) == last:
                name += f":{start - begins + 1}"
            last = file, line
            told.append(f"{self.names[file]} {name}" if len(self.names) > 1 else name)
        return told


def read_writing(path: Path, location: str, encoding: str | None) -> Writing:
    """Return the text of a file, or of all files of a folder in the order of their names.

    Line ends are one character, whatever they are in the files; a byte order mark is none.

    Args:
        path: of the file or folder.
        location: as the user gave it.
        encoding: of the files; None for a byte order mark or else UTF-8.

    Raises:
        DataError: there is no text, or bytes that are none.
    """
    files, findings = _files(path, location)
    digest, texts = hashlib.sha256(), []
    for name, file in files:
        content = content_of(file, growth=GROWTH)
        if len(files) > 1:
            digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
        texts.append(_text(content, name, encoding))
    whole = "".join(texts)
    if not whole.strip():
        raise DataError(f"{shown(location, 200)} holds white space only; give a file with text")
    names = [name for name, _ in files]
    return Writing(whole, [len(text) for text in texts], names, digest.hexdigest(), findings)


def _files(path: Path, location: str) -> tuple[list[tuple[str, Path]], list[Finding]]:
    """Return names and paths, and remarks on what was passed over."""
    if path.is_file():
        return [(location, path)], []
    listing = list_pictures(path, Listing(kind="texts", endings=ENDINGS))
    if not listing.pictures:
        known = ", ".join(sorted(ENDINGS))
        raise DataError(f"{shown(location, 200)} holds no text; known endings: {known}")
    places = {str(place): place for place in listing.pictures}
    full = [name for name in sorted_names(places) if (path / places[name]).stat().st_size]
    if not full:
        raise DataError(f"{shown(location, 200)}: all its files are empty; give files with text")
    files = [(plain_name(str(PurePosixPath(places[name]))), path / places[name]) for name in full]
    return files, listing.findings()


def _text(content: bytes, name: str, encoding: str | None) -> str:
    text = decoded(content, name, encoding).replace("\r\n", "\n").replace("\r", "\n")
    strange = set(text) & BINARY
    if strange:
        found = min(text.index(character) for character in strange)
        line = text.count("\n", 0, found) + 1
        byte = f"0x{ord(text[found]):02x}"
        trouble = f"{shown(name, 200)}: line {line} holds the byte {byte}, which no text has"
        raise DataError(f"{trouble}; give a text file, or its right --encoding")
    return text
