"""What `predict` hands over of a translator, in the formats that it reads, and nothing else."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset
from gradatim.core.signature import Signature, Text, Translation
from gradatim.core.source import ReadOptions
from gradatim.data.pairs.po import parse_po
from gradatim.data.read import read
from gradatim.session.handing_over import check_way
from gradatim.session.translations import translations, write_translations

SIGNATURE = Signature(
    input=Text(length=9, alphabet=" abcefghilmnoprstu", language="fr"),
    output=Translation(length=9, alphabet=" abcdefghilmnoprstu", language="en"),
)
SAID = np.array(["the house", "", "=the \u2460 door"])
PO = """#, c-format
msgid "la maison"
msgstr ""

msgid "oui"
msgstr "yes"

#, c-format
msgid "la %s porte"
msgstr ""
"""


def asked(path: Path) -> Dataset:
    return read(path, ReadOptions(signature=SIGNATURE))


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "ask.txt"
    path.write_text("La maison\n\nWürde la porte \U0001f600\n", encoding="utf-8")
    return path


def test_lines_become_lines(text, tmp_path):
    write_translations(asked(text), SAID, tmp_path / "out.en")
    assert (tmp_path / "out.en").read_text().split("\n") == ["the house", "", "=the  door", ""]
    write_translations(asked(text), SAID, tmp_path / "out.en.gz")
    packed = (tmp_path / "out.en.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "out.en").read_bytes()


def test_pairs_have_the_sentences_as_they_stood_in_the_file(text, tmp_path):
    """Characters that the model does not know too."""
    write_translations(asked(text), SAID, tmp_path / "out.tsv")
    lines = (tmp_path / "out.tsv").read_text(encoding="utf-8").split("\n")
    assert lines[0] == "fr\ten"
    assert lines[3] == "Würde la porte \U0001f600\t=the  door"
    write_translations(asked(text), SAID, tmp_path / "out.tmx")
    assert "Würde la porte \U0001f600" in (tmp_path / "out.tmx").read_text(encoding="utf-8")


def test_a_catalogue_is_filled_in(tmp_path):
    path = tmp_path / "en.po"
    path.write_text(PO)
    data = asked(path)
    said = np.array(["the house", "the \u2460 door"])
    assert translations(data, said).tolist() == ["the house", "the %s door"]
    write_translations(data, said, tmp_path / "out.po")
    entries = parse_po((tmp_path / "out.po").read_text(), "out.po").entries
    assert [entry.said[0] for entry in entries] == ["the house", "yes", "the %s door"]
    assert [entry.fuzzy for entry in entries] == [True, False, True]
    write_translations(data, said, tmp_path / "out.tsv")
    assert (tmp_path / "out.tsv").read_text().split("\n")[2] == "la %s porte\tthe %s door"


def test_a_kind_before_the_path_is_understood(text):
    data = read(f"lines:{text}", ReadOptions(signature=SIGNATURE))
    assert translations(data, SAID).tolist() == ["the house", "", "=the  door"]


def test_a_file_that_changed_meanwhile_is_refused(text):
    data = asked(text)
    text.write_text("a\nb\nc\n")
    with pytest.raises(DataError, match="changed"):
        translations(data, SAID)


def test_what_cannot_be_written_is_refused_before_work_begins(text, tmp_path):
    check_way(SIGNATURE.output, str(text), None, None)
    check_way(SIGNATURE.output, str(text), tmp_path / "new.txt", None)
    with pytest.raises(ConfigError, match="is what is asked about"):
        check_way(SIGNATURE.output, str(text), text, None)
    with pytest.raises(ConfigError, match="is a folder"):
        check_way(SIGNATURE.output, str(text), tmp_path, None)
    with pytest.raises(ConfigError, match="no catalogue"):
        check_way(SIGNATURE.output, str(text), tmp_path / "out.po", None)
