"""Sentence pairs as tab-separated text: two columns, with or without a line of names.

Cells have no quotes: a tab cannot stand in a sentence.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from gradatim.core.errors import DataError
from gradatim.core.samples import Finding
from gradatim.core.source import ReadOptions
from gradatim.data.files import content_of
from gradatim.data.naming import listed, shown
from gradatim.data.pairs.assembly import Corpus, Pair, plain
from gradatim.data.pairs.languages import CODES, Way, matching, way_among, way_told
from gradatim.data.pairs.lines import GROWTH, lines_in
from gradatim.data.tables.delimited import decoded

__all__ = ["read_tsv", "tsv_bytes"]

SOURCES = ("source", "src", "from", "input", "sentence")
TARGETS = ("target", "tgt", "trg", "to", "output", "translation")


def read_tsv(path: Path, location: str, options: ReadOptions) -> Corpus:
    """Return the pairs of a file.

    Raises:
        ConfigError: it names languages, and it is not clear which way to translate.
        DataError: a line has too few or too many cells, or the bytes are no text.
    """
    content = content_of(path, growth=GROWTH)
    lines = lines_in(decoded(content, location, options.encoding), location)
    rows = [(number, line.split("\t")) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise DataError(f"{shown(location, 200)} has no lines; give sentence pairs")
    header = _header(rows[0][1], options)
    first, second, way = _columns(header, rows[0][1], location, options)
    pairs = [
        _pair(number, cells, first, second, len(rows[0][1]), location)
        for number, cells in rows[bool(header) :]
    ]
    findings = []
    if header:
        message = f"the first line is taken as names of columns: {listed(header)}"
        findings.append(Finding("header", "note", message))
    digest = hashlib.sha256("\0".join(way).encode() + hashlib.sha256(content).digest())
    return Corpus(pairs, way, digest.hexdigest(), "tsv_pairs", tuple(findings))


def tsv_bytes(sources: Sequence[str], targets: Sequence[str], way: Way) -> bytes:
    """Return a file of pairs under the names of their languages."""
    head = (way.source or "source", way.target or "target")
    rows = [head, *zip(map(plain, sources), map(plain, targets), strict=True)]
    return "".join(f"{a}\t{b}\n" for a, b in rows).encode("utf-8", "backslashreplace")


def _header(cells: Sequence[str], options: ReadOptions) -> list[str]:
    """Return the names of the columns, when the first line has names."""
    known = {*CODES, *SOURCES, *TARGETS}
    told = [code for code in way_told(options) if code]
    names = [cell.strip() for cell in cells]
    kinds = [name.casefold().replace("_", "-").partition("-")[0] for name in names]
    named = [
        kind in known or any(matching(code, [name]) for code in told)
        for kind, name in zip(kinds, names, strict=True)
    ]
    return names if sum(named) >= min(2, len(names)) and len(set(names)) == len(names) else []


def _columns(
    header: Sequence[str], cells: Sequence[str], location: str, options: ReadOptions
) -> tuple[int, int | None, Way]:
    """Return the columns of source and target, and their languages."""
    needed, told = options.signature is None or options.judged, way_told(options)
    folded = [name.casefold() for name in header]
    source = next((i for i, name in enumerate(folded) if name in SOURCES), None)
    target = next((i for i, name in enumerate(folded) if name in TARGETS), None)
    if source is not None and (target is not None or not needed):
        return source, target, told
    if header:
        languages = [name for name in header if _is_language(name, told)]
        if len(languages) == 2 and not any(told):
            return header.index(languages[0]), header.index(languages[1]), Way(*languages)
        if languages and (told.source or options.signature is None):
            way = way_among(languages, options, location)
            place = header.index(way.target) if way.target else None
            return header.index(way.source), place, way
    if needed and len(cells) != 2:
        count = f"{len(cells)} column" + ("" if len(cells) == 1 else "s")
        raise DataError(
            f"{shown(location, 200)} has {count}, and sentence pairs are two\n"
            "name the columns in the first line by their languages, such as fr and en"
        )
    return 0, 1 if len(cells) > 1 else None, told


def _is_language(name: str, told: Way) -> bool:
    kind = name.casefold().replace("_", "-").partition("-")[0]
    return kind in CODES or any(matching(code, [name]) for code in told if code)


def _pair(
    number: int, cells: Sequence[str], first: int, second: int | None, width: int, location: str
) -> Pair:
    if len(cells) != width:
        count = f"{len(cells)} cell" + ("" if len(cells) == 1 else "s")
        trouble = f"{shown(location, 200)}: line {number} has {count} and the first line {width}"
        raise DataError(f"{trouble}; mend the line, a sentence holds no tab")
    return Pair(f"line {number}", cells[first], None if second is None else cells[second])
