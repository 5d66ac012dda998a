"""Translation memories (.tmx): units with a segment a language.

Source: LISA, TMX 1.4b specification, 2005.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from gradatim.core.errors import DataError
from gradatim.core.source import ReadOptions
from gradatim.data.files import content_of
from gradatim.data.naming import shown
from gradatim.data.pairs.assembly import Corpus, Pair, plain
from gradatim.data.pairs.languages import Way, way_among
from gradatim.data.pairs.lines import GROWTH

__all__ = ["parse_tmx", "read_tmx", "tmx_bytes"]

HEADER = (
    '  <header creationtool="gradatim" creationtoolversion="1" segtype="sentence" o-tmf="text" '
    'adminlang="en" datatype="plaintext"'
)
CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})
"""Elements in a segment that hold the codes of another program, and no words."""


def read_tmx(path: Path, location: str, options: ReadOptions) -> Corpus:
    """Return the pairs of a translation memory.

    Raises:
        ConfigError: it is not clear which way to translate.
        DataError: no XML, or a document type that could hold entities.
    """
    content = content_of(path, growth=GROWTH)
    units = parse_tmx(content, location)
    way = way_among({language for unit in units for language in unit}, options, location)
    pairs = [
        Pair(f"unit {number}", unit[way.source], unit.get(way.target))
        for number, unit in enumerate(units, 1)
        if way.source in unit and (way.target in unit or options.signature is not None)
    ]
    digest = hashlib.sha256("\0".join(way).encode() + hashlib.sha256(content).digest())
    return Corpus(pairs, way, digest.hexdigest(), "tmx")


def parse_tmx(content: bytes, name: str) -> list[Mapping[str, str]]:
    """Return the segments of each unit by their language, as the file spells it.

    Raises:
        DataError: no XML, or a document type that could hold entities.
    """
    reader, parser = _Reader(), expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data

    def document_type(_: str, __: str | None, ___: str | None, inside: bool) -> None:
        if inside:
            refuse()

    def refuse(*_: object) -> None:
        trouble = f"{shown(name, 200)} declares entities of its own"
        raise DataError(f"{trouble}; remove its <!DOCTYPE ...>")

    parser.StartDoctypeDeclHandler = document_type
    parser.EntityDeclHandler = refuse
    parser.SkippedEntityHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shown(name, 200)} is no XML: {error}; write it again") from error
    return reader.units


def tmx_bytes(sources: Sequence[str], targets: Sequence[str], way: Way) -> bytes:
    """Return a translation memory of pairs."""
    first, second = (quoteattr(code or "und") for code in way)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<tmx version="1.4">',
        f"{HEADER} srclang={first}/>",
        "  <body>",
    ]
    for source, target in zip(sources, targets, strict=True):
        one, other = escape(plain(source)), escape(plain(target))
        lines.append(f"    <tu><tuv xml:lang={first}><seg>{one}</seg></tuv>")
        lines.append(f"      <tuv xml:lang={second}><seg>{other}</seg></tuv></tu>")
    lines += ["  </body>", "</tmx>", ""]
    return "\n".join(lines).encode("utf-8", "backslashreplace")


class _Reader:
    """Collects the text of segments."""

    def __init__(self) -> None:
        self.units: list[Mapping[str, str]] = []
        self.unit: dict[str, str] = {}
        self.language = ""
        self.text: list[str] | None = None
        self.codes = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "tu":
            self.unit = {}
        elif name == "tuv":
            self.language = attributes.get("xml:lang") or attributes.get("lang", "")
        elif name == "seg":
            self.text = []
        self.codes += name in CODES

    def end(self, name: str) -> None:
        self.codes -= name in CODES
        if name == "seg" and self.text is not None:
            self.unit.setdefault(self.language, "".join(self.text))
            self.text = None
        elif name == "tu" and self.unit:
            self.units.append(self.unit)

    def data(self, text: str) -> None:
        if self.text is not None and not self.codes:
            self.text.append(text)
