"""gettext's catalogues of messages (.po): entries, their pairs, and a catalogue filled in.

Source: GNU gettext manual, "The format of PO files".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gradatim.core.errors import DataError
from gradatim.data.naming import shown

__all__ = ["Catalogue", "Entry", "filled", "parse_po"]

_KEYWORD = re.compile(r"(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])?\s*(\".*)$")
_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)")
_MEANT = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_WRITTEN = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_AFTER = {
    "msgctxt": ("msgid",),
    "msgid": ("msgid_plural", "msgstr"),
    "msgid_plural": ("msgstr",),
    "msgstr": ("msgstr",),
}
MOST_FORMS = 6


@dataclass
class Entry:
    """A message.

    Args:
        line: that it begins in, from 1: the one of msgid, or of msgctxt.
        message: msgid.
        plural: msgid_plural.
        said: msgstr by number; 0 where there is no plural.
        fuzzy: whether somebody has yet to look at it.
        flags: line of the flags, from 1; 0 for none.
        answers: first and last line of msgstr.
    """

    line: int
    message: str = ""
    plural: str | None = None
    said: dict[int, str] = field(default_factory=dict)
    fuzzy: bool = False
    flags: int = 0
    answers: tuple[int, int] = (0, 0)

    @property
    def done(self) -> bool:
        """Whether all of it is translated."""
        return bool(self.said) and all(self.said.values())


@dataclass(frozen=True)
class Catalogue:
    """The messages of a file, and what its header says."""

    entries: Sequence[Entry]
    language: str
    forms: int


def parse_po(text: str, name: str) -> Catalogue:
    """Return the messages of a catalogue; obsolete ones are left out.

    Raises:
        DataError: naming the line that is none of a catalogue.
    """
    found = list(_entries(text, name))
    heads = [entry for entry in found if not entry.message]
    header = heads[0].said.get(0, "") if heads else ""
    language = re.search(r"^Language:\s*([\w@.-]+)", header, re.MULTILINE)
    forms = re.search(r"nplurals\s*=\s*(\d)", header)
    return Catalogue(
        [entry for entry in found if entry.message],
        language.group(1).replace("_", "-") if language else "",
        min(MOST_FORMS, max(1, int(forms.group(1)))) if forms else 2,
    )


def filled(text: str, answers: Mapping[int, Sequence[str]], name: str) -> str:
    """Return a catalogue with messages translated, each marked as fuzzy: somebody should look.

    Args:
        text: of the file.
        answers: by the place of the message in `Catalogue.entries`: the translation, or one for
            each form of a plural.
        name: of the file, for messages.
    """
    lines = text.split("\n")
    entries = parse_po(text, name).entries
    for place in sorted(answers, reverse=True):  # from the end, for lines move
        entry, forms = entries[place], answers[place]
        first, last = entry.answers
        many = entry.plural is not None
        lines[first - 1 : last] = [
            line
            for number, said in enumerate(forms)
            for line in _spelled(f"msgstr[{number}]" if many else "msgstr", said)
        ]
        if entry.flags and not entry.fuzzy:
            row = lines[entry.flags - 1]
            lines[entry.flags - 1] = "#, fuzzy, " + row.removeprefix("#,").strip()
        elif not entry.flags:
            lines.insert(entry.line - 1, "#, fuzzy")
    return "\n".join(lines)


def _entries(text: str, name: str) -> Iterator[Entry]:
    reader = _Reader(name)
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        begins = line.startswith("#") or re.match(r"msgctxt|msgid\s", line)
        if begins and reader.entry.said:
            yield reader.whole()
            reader = _Reader(name)
        reader.take(line, number)
    if reader.entry.said:
        yield reader.whole()
    elif reader.entry.line:
        raise _disorder(reader.entry.line, "msgid", name)


class _Reader:
    """Takes the lines of one entry."""

    def __init__(self, name: str) -> None:
        self.name, self.entry, self.place = name, Entry(0), ""

    def take(self, line: str, number: int) -> None:
        """Take a line without its indent."""
        if keyword := _KEYWORD.match(line):
            key, index, quoted = keyword.groups()
            if self.place and key not in _AFTER[self.place.rstrip("0123456789")]:
                raise _disorder(number, key, self.name)
            self.entry.line = self.entry.line or number
            self.place = f"{key}{index or 0}" if key == "msgstr" else key
            self._put(quoted, number)
        elif line.startswith('"') and self.place:
            self._put(line, number)
        elif line.startswith("#,"):
            self.entry.flags = number
            self.entry.fuzzy |= "fuzzy" in re.split(r"[,\s]+", line)
        elif line and not line.startswith("#"):
            trouble = f"{shown(self.name, 200)}: line {number} is none of a catalogue"
            raise DataError(f"{trouble}: {shown(line)}; check the file with msgfmt -c")

    def whole(self) -> Entry:
        """Return the entry, whose translations are one, or one for each form of a plural."""
        forms = len(self.entry.said)
        if {*self.entry.said} != {*range(forms)} or (self.entry.plural is None and forms > 1):
            raise _disorder(self.entry.answers[0], f"msgstr[{max(self.entry.said)}]", self.name)
        return self.entry

    def _put(self, quoted: str, number: int) -> None:
        text, entry = _unquoted(quoted, number, self.name), self.entry
        if self.place == "msgid":
            entry.message += text
        elif self.place == "msgid_plural":
            entry.plural = (entry.plural or "") + text
        elif self.place.startswith("msgstr"):
            form = int(self.place.removeprefix("msgstr"))
            entry.said[form] = entry.said.get(form, "") + text
            entry.answers = (entry.answers[0] or number, number)


def _disorder(number: int, key: str, name: str) -> DataError:
    trouble = f"{shown(name, 200)}: line {number}: {key} stands where none can be"
    return DataError(f"{trouble}; each msgid needs a msgstr after it, see msgfmt -c")


def _unquoted(quoted: str, number: int, name: str) -> str:
    if len(quoted) < 2 or quoted[-1] != '"' or re.search(r'(?<!\\)(?:\\\\)*"', quoted[1:-1]):
        trouble = f"{shown(name, 200)}: line {number}: the quotes of {shown(quoted)} do not close"
        raise DataError(f'{trouble}; write a quote inside of a message as \\"')
    return _ESCAPE.sub(_meant, quoted[1:-1])


def _meant(match: re.Match[str]) -> str:
    code = match.group(1)
    if code[0] in "01234567":
        return chr(int(code, 8))
    return chr(int(code[1:], 16)) if code[0] == "x" and code != "x" else _MEANT.get(code, code)


def _spelled(keyword: str, text: str) -> list[str]:
    """Return the lines that hold a text; one with ends of line inside begins on its own."""
    quoted = [f'"{_escaped(line)}"' for line in text.splitlines(keepends=True)] or ['""']
    if len(quoted) == 1:
        return [f"{keyword} {quoted[0]}"]
    return [f'{keyword} ""', *quoted]


def _escaped(text: str) -> str:
    return "".join(_WRITTEN.get(character, character) for character in text)
