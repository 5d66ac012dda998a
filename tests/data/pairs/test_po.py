"""Catalogues of gettext: what is read, what teaches, what is asked, what is written."""

import gettext
import subprocess
from pathlib import Path
from shutil import which

import pytest

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.source import ReadOptions
from gradatim.data.pairs.messages import po_bytes, read_po
from gradatim.data.pairs.po import parse_po
from gradatim.data.sources.po import SOURCE

PO = r"""# a comment
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Language: de\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#: main.c:3
#, c-format
msgid "Open %s"
msgstr "%s öffnen"

msgctxt "menu"
msgid "Save"
msgstr "Sichern"

#, fuzzy
msgid "Close"
msgstr "Offen"

#, c-format
msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d Datei"
msgstr[1] "%d Dateien"

msgid ""
"Two\n"
"lines with \"quotes\" and \t tab\n"
msgstr ""
"Zwei\n"
"Zeilen mit \"Zeichen\" und \t Tab\n"

#, c-format
msgid "Lost %s"
msgstr "Verloren"

#. to be translated
#, c-format
msgid "Delete %s?"
msgstr ""

#, c-format
msgid "%d day"
msgid_plural "%d days"
msgstr[0] ""
msgstr[1] ""

msgid ""
" First line\n"
"second line\n"
msgstr ""

#~ msgid "Gone"
#~ msgstr "Weg"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "de.po").write_text(PO, encoding="utf-8")
    return tmp_path / "de.po"


def asked() -> ReadOptions:
    """The options of `predict`, with a model that translates into German."""
    from gradatim.core.signature import Signature, Text, Translation

    letters = "".join(sorted(set(PO)))
    text = Text(length=9, alphabet=letters, language="en")
    output = Translation(length=9, alphabet=letters, language="de")
    return ReadOptions(signature=Signature(input=text, output=output))


def test_translations_teach_but_for_fuzzy_obsolete_and_unfit_ones(path):
    corpus = read_po(path, "de.po", ReadOptions())
    pairs = [(pair.source, pair.target) for pair in corpus.pairs]
    assert pairs == [
        ("Open \u2460", "\u2460 öffnen"),
        ("Save", "Sichern"),
        ("\u2460 file", "\u2460 Datei"),
        ("\u2460 files", "\u2460 Dateien"),
        ("Two", "Zwei"),
        ('lines with "quotes" and \t tab', 'Zeilen mit "Zeichen" und \t Tab'),
    ]
    assert corpus.way == ("", "de")
    assert [finding.code for finding in corpus.findings] == ["formats"]
    assert corpus.findings[0].rows == ("line 35",)


def test_predict_asks_for_what_lacks_a_translation(path):
    corpus = read_po(path, "de.po", asked())
    assert [pair.source.strip() for pair in corpus.pairs] == [
        "Delete \u2460?",
        "\u2460 day",
        "\u2460 days",
        "First line",
        "second line",
    ]
    assert all(pair.target is None for pair in corpus.pairs)


SAID = ["\u2460 löschen?", "Tag", "\u2460 Tage \u2460", "Erste Zeile", "zweite Zeile"]


def test_a_filled_catalogue_differs_in_the_answers_alone(path):
    text = po_bytes(path, "de.po", SAID).decode()
    before, after = parse_po(PO, "a"), parse_po(text, "b")
    answers = {
        "Delete %s?": {0: "%s löschen?"},
        "%d day": {0: "Tag %d", 1: "%d Tage"},
        " First line\nsecond line\n": {0: " Erste Zeile\nzweite Zeile\n"},
    }
    assert [entry.message for entry in after.entries] == [e.message for e in before.entries]
    for old, new in zip(before.entries, after.entries, strict=True):
        assert new.said == answers.get(old.message, old.said)
        assert new.fuzzy == (old.fuzzy or old.message in answers)
    kept = [line for line in PO.splitlines() if line.startswith(("#:", "#.", "#~", "msgctxt"))]
    assert [x for x in text.splitlines() if x.startswith(("#:", "#.", "#~", "msgctxt"))] == kept


def test_the_standard_library_reads_what_was_written(path, tmp_path):
    """`gettext` itself: msgfmt makes a catalogue of it and accepts every format."""
    tool = which("msgfmt")
    if tool is None:
        pytest.skip("msgfmt is not installed")
    path.write_text(PO.replace('msgstr "Verloren"', 'msgstr "%s verloren"'), encoding="utf-8")
    path.write_bytes(po_bytes(path, "de.po", SAID))
    out = tmp_path / "de.mo"
    subprocess.run([tool, "-c", "--use-fuzzy", "-o", str(out), str(path)], check=True)
    with out.open("rb") as file:
        said = gettext.GNUTranslations(file)
    assert said.gettext("Delete %s?") == "%s löschen?"
    assert said.ngettext("%d day", "%d days", 2) == "%d Tage"


def test_a_catalogue_in_another_encoding_is_written_in_utf8(path):
    content = PO.replace("charset=UTF-8", "charset=ISO-8859-1").encode("latin-1")
    path.write_bytes(content)
    assert read_po(path, "de.po", ReadOptions()).pairs[0].target == "\u2460 öffnen"
    text = po_bytes(path, "de.po", SAID).decode()
    assert "charset=UTF-8" in text
    assert "löschen" in text


def test_a_language_that_the_catalogue_is_not_in_is_refused(path):
    with pytest.raises(ConfigError, match='"de", not in fr'):
        read_po(path, "de.po", ReadOptions(target_language="fr"))
    assert read_po(path, "x", ReadOptions(source_language="en", target_language="DE")).way == (
        "en",
        "DE",
    )


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        ("what is this", "line 1 is none of a catalogue"),
        ('msgid "a"\nmsgstr "b\n', "line 2: the quotes"),
        ('msgid "a "quote" in it"\nmsgstr ""\n', "line 1: the quotes"),
        ('msgid "a"\nmsgid "b"\nmsgstr "c"\n', "line 2: msgid stands"),
        ('msgid "a"\n', "line 1: msgid stands"),
    ],
)
def test_what_is_no_catalogue_is_refused_with_its_line(content, trouble):
    with pytest.raises(DataError, match=trouble):
        parse_po(content, "de.po")


def test_a_catalogue_becomes_a_data_set(path):
    data = SOURCE.read(str(path), ReadOptions())
    assert len(data) == 6
    assert data.signature.output.language == "de"
    assert "\u2460" in data.signature.input.alphabet
    with pytest.raises(DataError, match="none of 0 pairs"):
        path.write_text('msgid "a"\nmsgstr ""\n')
        SOURCE.read(str(path), ReadOptions())
