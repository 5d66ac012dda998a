"""Messages of a catalogue as sentences: line by line, with placeholders hidden."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradatim.core.errors import ConfigError
from gradatim.core.samples import Finding
from gradatim.core.source import ReadOptions
from gradatim.data.files import content_of
from gradatim.data.naming import listed, shown
from gradatim.data.pairs.assembly import Corpus, Pair
from gradatim.data.pairs.languages import Way, matching, way_told
from gradatim.data.pairs.lines import GROWTH
from gradatim.data.pairs.placeholders import fits, hidden, restored
from gradatim.data.pairs.po import Catalogue, Entry, filled, parse_po
from gradatim.data.tables.delimited import decoded

__all__ = ["po_bytes", "read_po"]


@dataclass(frozen=True)
class _Asked:
    """A line of a message that is to be translated: `form` 0 is the message, 1 its plural."""

    place: int
    form: int
    line: int
    text: str


def read_po(path: Path, location: str, options: ReadOptions) -> Corpus:
    """Return the translated messages of a catalogue; to ask a model, those that lack translation.

    Fuzzy and obsolete messages teach nothing.

    Raises:
        ConfigError: the catalogue is of another language than is asked for.
        DataError: it is no catalogue.
    """
    text, digest = _read(path, location, options.encoding)
    catalogue = parse_po(text, location)
    way = way_told(options)
    if way.target and catalogue.language and not matching(way.target, [catalogue.language]):
        raise ConfigError(
            f"{shown(location, 200)} is in {shown(catalogue.language)}, not in {way.target}"
        )
    way = Way(way.source, way.target or catalogue.language)
    if options.signature is not None and not options.judged:
        found = [(one, *hidden(one.text)) for one in _asked(catalogue)]
        pairs = [
            Pair(_name(catalogue.entries[one.place]), said, None, kept=kept)
            for one, said, kept in found
        ]
        return Corpus(pairs, way, digest, "po")
    pairs, odd = _learnt(catalogue)
    findings = []
    if odd:
        message = f"{len(odd)} translations differ from their messages in lines or placeholders "
        message += f"and are left out: {listed(odd, 3)}"
        findings.append(Finding("formats", "warning", message, "msgfmt -c names them", tuple(odd)))
    return Corpus(pairs, way, digest, "po", tuple(findings))


def po_bytes(path: Path, location: str, said: Sequence[str], encoding: str | None = None) -> bytes:
    """Return a catalogue in which the messages that lacked a translation have one, marked fuzzy.

    Args:
        path: the catalogue that a model was asked about.
        location: as the user gave it.
        said: the translations, in the order in which `read_po` gave the sentences, with their
            placeholders still hidden.
        encoding: as it was read with.
    """
    text, _ = _read(path, location, encoding)
    text = re.sub(r"charset=[\w.:-]+", "charset=UTF-8", text, count=1)  # as it is written
    catalogue = parse_po(text, location)
    answers: dict[int, dict[int, list[str]]] = {}
    for one, translation in zip(_asked(catalogue), said, strict=True):
        entry = catalogue.entries[one.place]
        message = str(entry.plural if one.form else entry.message)
        lines = answers.setdefault(one.place, {}).setdefault(one.form, message.split("\n"))
        raw, kept = lines[one.line], hidden(one.text)[1]
        before, after = raw[: len(raw) - len(raw.lstrip())], raw[len(raw.rstrip()) :]
        lines[one.line] = before + restored(translation, kept) + after
    forms = {
        place: _forms(catalogue, place, {form: "\n".join(lines) for form, lines in found.items()})
        for place, found in answers.items()
    }
    return filled(text, forms, location).encode("utf-8", "surrogatepass")


def _forms(catalogue: Catalogue, place: int, said: dict[int, str]) -> list[str]:
    """Return one translation, or one for each form of a plural: the first is the singular's."""
    entry = catalogue.entries[place]
    if entry.plural is None:
        return [said[0]]
    few = said.get(1, said.get(0, ""))
    return [said.get(0, few) if catalogue.forms > 1 else few, *[few] * (catalogue.forms - 1)]


def _read(path: Path, location: str, encoding: str | None) -> tuple[str, str]:
    """Return the text of a catalogue, in the encoding that its header names, and its sha256."""
    content = content_of(path, growth=GROWTH)
    told = re.search(rb"charset=([A-Za-z0-9_.:-]+)", content[:10_000])
    named = told.group(1).decode() if told else None
    known = None if named in (None, "CHARSET", "UTF-8", "utf-8") else named
    text = decoded(content, location, encoding or known)
    return text.replace("\r\n", "\n"), hashlib.sha256(content).hexdigest()


def _asked(catalogue: Catalogue) -> list[_Asked]:
    """Return the lines of all messages without translation, but those without any word."""
    found = []
    for place, entry in enumerate(catalogue.entries):
        if entry.done or entry.fuzzy:
            continue
        for form, message in enumerate([entry.message, entry.plural]):
            lines = (message or "").split("\n")
            found += [_Asked(place, form, i, line) for i, line in enumerate(lines) if line.strip()]
    return found


def _learnt(catalogue: Catalogue) -> tuple[list[Pair], list[str]]:
    """Return the pairs of all translations, and the names of those that do not fit."""
    pairs, odd = list[Pair](), []
    for entry in catalogue.entries:
        if entry.fuzzy or not entry.done:
            continue
        for message, said in _both(entry):
            lines, answers = message.strip("\n").split("\n"), said.strip("\n").split("\n")
            if len(lines) != len(answers) or not fits(message, said):
                odd.append(_name(entry))
                continue
            for line, answer in zip(lines, answers, strict=True):
                if line.strip() or answer.strip():
                    source, kept = hidden(line)
                    target = hidden(answer, kept)[0]
                    pairs.append(Pair(_name(entry), source, target, kept=kept))
    return pairs, odd


def _both(entry: Entry) -> list[tuple[str, str]]:
    """Return messages with their translations: the singular, and the plural's second form."""
    if entry.plural is None:
        return [(entry.message, entry.said[0])]
    if len(entry.said) == 1:
        return [(entry.plural, entry.said[0])]
    return [(entry.message, entry.said[0]), (entry.plural, entry.said[1])]


def _name(entry: Entry) -> str:
    return f"line {entry.line}"
