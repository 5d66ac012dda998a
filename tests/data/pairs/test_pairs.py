"""Sentence pairs from line-aligned files, tables and translation memories."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.core.errors import ConfigError, DataError
from gradatim.core.signature import Signature, Text, Translation
from gradatim.core.source import ReadOptions
from gradatim.data.doctor import examine
from gradatim.data.pairs.languages import Way
from gradatim.data.pairs.lines import lines_bytes
from gradatim.data.pairs.tmx import parse_tmx, tmx_bytes
from gradatim.data.pairs.tsv import tsv_bytes
from gradatim.data.read import read
from gradatim.data.splits import partition
from gradatim.ops.text.characters import written

EN = [f"The house has {i} doors." for i in range(12)]
FR = [f"La maison a {i} portes." for i in range(12)]
WAY = ReadOptions(source_language="fr", target_language="en")


def put(path: Path, lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "train.fr.gz", FR)
    put(tmp_path / "train.en.gz", EN)
    put(tmp_path / "val.fr", ["Oui."])
    put(tmp_path / "val.en", ["Yes."])
    put(tmp_path / "test_2016.fr", ["Non, merci !", "Été"])
    put(tmp_path / "test_2016.en", ["No, thanks!", "Summer"])
    put(tmp_path / "README.md", ["what this is"])
    return tmp_path


def pairs(data) -> list[tuple[str, str]]:
    field, output = data.signature.input, data.signature.output
    samples = data.samples
    return list(
        zip(
            written(samples.inputs, field.alphabet),
            written(samples.targets, output.alphabet),
            strict=True,
        )
    )


def asked(source: str = "fr", target: str = "en", **options: object) -> ReadOptions:
    """Options of `predict` with a model of these languages."""
    text = Text(length=30, alphabet="".join(sorted(set("".join(FR)))), language=source)
    output = Translation(length=30, alphabet="".join(sorted(set("".join(EN)))), language=target)
    return ReadOptions(signature=Signature(input=text, output=output), **options)


def test_a_folder_has_its_pairs_and_seals_its_tests(folder):
    data = read(folder, WAY)
    assert pairs(data) == [
        *zip(FR, EN, strict=True),
        ("Oui.", "Yes."),
        ("Non, merci !", "No, thanks!"),
        ("Été", "Summer"),
    ]
    assert data.sealed.tolist() == [False] * 13 + [True] * 2
    assert (data.row_names[0], data.row_names[-1]) == ("train, line 1", "test_2016, line 2")
    assert (data.signature.input.language, data.signature.output.language) == ("fr", "en")
    assert data.signature.input.length == max(map(len, FR))
    assert data.samples.inputs.dtype == data.samples.targets.dtype == torch.int32
    assert [finding.code for finding in data.findings] == ["validation-part"]
    _, split = partition(data)
    assert split.test.tolist() == [13, 14]


def test_the_way_can_be_turned_and_half_of_it_is_enough(folder):
    there = pairs(read(folder, WAY))
    back = pairs(read(folder, ReadOptions(target_language="fr")))
    assert [(b, a) for a, b in back] == there
    assert pairs(read(folder, ReadOptions(source_language="FR"))) == there


def test_without_a_way_the_languages_are_named(folder):
    with pytest.raises(ConfigError, match='"en", "fr"; say which way: --from fr --to en'):
        read(folder)


def test_a_file_stands_for_itself_and_those_beside_it(folder):
    assert len(read(folder / "train.fr.gz", WAY)) == 12


def test_the_fingerprint_follows_content_and_way(folder):
    one = read(folder, WAY).fingerprint
    assert one == read(folder, WAY).fingerprint
    assert one != read(folder, ReadOptions(source_language="en")).fingerprint
    put(folder / "val.en", ["Yes!"])
    assert one != read(folder, WAY).fingerprint


def test_bytes_and_ends_of_lines_do_not_matter(tmp_path):
    (tmp_path / "a.fr").write_bytes("\ufeffe\u0301te\u0301\tchaud\r\n\x0bnon\u2028oui\r\n".encode())
    (tmp_path / "a.en").write_bytes("hot summer\nno yes".encode("utf-16"))
    assert pairs(read(tmp_path, WAY)) == [("\xe9t\xe9 chaud", "hot summer"), ("non oui", "no yes")]


def test_what_teaches_nothing_is_left_out_and_told(tmp_path):
    put(tmp_path / "a.fr", ["Oui.", "", "Non.", "mot " * 300, "Ok."])
    put(tmp_path / "a.en", ["Yes.", "Nothing.", "  ", "word", "Ok."])
    data = read(tmp_path, WAY)
    assert pairs(data) == [("Oui.", "Yes."), ("Ok.", "Ok.")]
    codes = [finding.code for finding in data.findings]
    assert codes == ["empty-sentences", "long-sentences", "untranslated"]
    assert data.findings[0].rows == ("line 2", "line 3")


def test_a_folder_of_pictures_with_two_endings_is_no_translation(tmp_path):
    for name in ("a.jpg", "a.png", "b.py", "b.js", "c.gz", "c.md"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match="folder of a class"):
        read(tmp_path)


def test_the_doctor_keeps_copies_of_a_sentence_together(folder):
    put(folder / "val.fr", [FR[3]])
    data = examine(read(folder, WAY))
    groups = data.samples.groups
    assert groups[3] == groups[12]
    assert len(groups.unique()) == len(data) - 1


# --- asking a model ------------------------------------------------------------------------------


def test_a_model_is_asked_about_every_line_of_any_file(folder):
    put(folder / "ask.txt", ["La porte.", "", "Ünbekannt"])
    data = read(folder / "ask.txt", asked())
    alphabet = data.signature.input.alphabet
    said = written(data.samples.inputs, alphabet)
    assert said[:2] == ["La porte.", ""]
    assert "\N{REPLACEMENT CHARACTER}" in said[2]
    assert len(data.samples.targets) == 0
    assert [finding.code for finding in data.findings] == ["unknown-characters"]
    assert data.row_names == ["line 1", "line 2", "line 3"]


def test_a_model_is_asked_about_its_language_of_a_folder(folder):
    data = read(folder, asked())
    assert len(data) == 15
    assert data.sealed is None
    with pytest.raises(ConfigError, match='no "it"'):
        read(folder, asked("it", "en"))


def test_judging_reads_both_sides_and_keeps_all_rows(folder):
    put(folder / "test_2016.en", ["No, thanks!", ""])
    data = read(folder / "test_2016.fr", asked(judged=True))
    assert len(data) == len(data.samples.targets) == 2


def test_a_model_is_not_asked_about_a_book(folder):
    put(folder / "ask.txt", ["x" * 20_000])
    with pytest.raises(DataError, match="line 1 has over 10,000"):
        read(folder / "ask.txt", asked())


def test_a_model_of_other_things_is_refused(folder):
    from gradatim.core.signature import Category, Column, Table

    table = Signature(
        input=Table(columns=(Column(name="x", kind="numeric"),)),
        output=Category(names=("a", "b")),
    )
    with pytest.raises((DataError, ConfigError)):
        read(folder, ReadOptions(signature=table))


# --- tables and memories -------------------------------------------------------------------------


def test_a_table_with_names_is_read_by_them(tmp_path):
    put(
        tmp_path / "t.tsv",
        ["en\tid\tfr", *(f"{e}\t{i}\t{f}" for i, (e, f) in enumerate(zip(EN, FR, strict=True)))],
    )
    assert pairs(read(tmp_path / "t.tsv", WAY)) == list(zip(FR, EN, strict=True))


@pytest.mark.parametrize("header", [[], ["source\ttarget"], ["fr\ten"]])
def test_a_table_of_two_columns_goes_from_left_to_right(tmp_path, header):
    put(tmp_path / "t.tsv", [*header, *map("\t".join, zip(FR, EN, strict=True))])
    data = read(tmp_path / "t.tsv", ReadOptions(task="translate"))
    assert pairs(data) == list(zip(FR, EN, strict=True))
    assert data.row_names[0] == f"line {1 + len(header)}"


def test_quotes_in_a_table_are_quotes(tmp_path):
    put(tmp_path / "t.tsv", ['"Oui", dit-il\t"Yes," he said'])
    assert pairs(read(tmp_path / "t.tsv", WAY)) == [('"Oui", dit-il', '"Yes," he said')]


def test_a_table_stays_a_table_unless_it_is_translated(tmp_path):
    put(tmp_path / "t.tsv", ["x\ty", *(f"{i}\t{'ab'[i % 2]}" for i in range(30))])
    assert read(tmp_path / "t.tsv", ReadOptions(target="y")).signature.input.kind == "table"


def test_a_model_is_asked_about_one_column(tmp_path):
    put(tmp_path / "t.tsv", ["La porte.", "La maison."])
    assert len(read(tmp_path / "t.tsv", asked())) == 2
    put(tmp_path / "u.tsv", ["en\tfr", "The door.\tLa porte."])
    data = read(tmp_path / "u.tsv", asked())
    assert written(data.samples.inputs, data.signature.input.alphabet) == ["La porte."]


TMX = """<?xml version="1.0"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="en"/><body>
<tu><tuv xml:lang="fr-FR">
<seg>La <bpt i="1">&lt;b></bpt>porte<ept i="1">&lt;/b></ept> &amp; moi</seg></tuv>
<tuv xml:lang="en-US"><seg>The <hi>door</hi> and me</seg></tuv></tu>
<tu><tuv xml:lang="en-US"><seg>Alone</seg></tuv></tu>
<tu><tuv xml:lang="en-US"><seg>Yes</seg></tuv><tuv xml:lang="fr-FR"><seg>Oui</seg></tuv></tu>
</body></tmx>"""


def test_a_memory_gives_the_units_that_have_both_languages(tmp_path):
    (tmp_path / "m.tmx").write_text(TMX)
    data = read(tmp_path / "m.tmx", WAY)
    assert pairs(data) == [("La porte & moi", "The door and me"), ("Oui", "Yes")]
    assert data.row_names == ["unit 1", "unit 3"]
    assert data.signature.input.language == "fr-FR"


def test_a_memory_cannot_name_entities(tmp_path):
    for inside in ('<!ENTITY a "b">', '<!ENTITY a SYSTEM "/etc/passwd">'):
        content = f"<!DOCTYPE tmx [{inside}]><tmx><tu><tuv><seg>&a;</seg></tuv></tu></tmx>"
        with pytest.raises(DataError, match="entities"):
            parse_tmx(content.encode(), "m.tmx")
    content = '<!DOCTYPE tmx SYSTEM "x.dtd"><tmx><tu><tuv lang="a"><seg>&b;</seg></tuv></tu></tmx>'
    with pytest.raises(DataError):
        parse_tmx(content.encode(), "m.tmx")


ODD = ["plain", 'a <b> & "c"', "tab\tand\nline", "été \U0001f600", "="]


def test_what_is_written_is_read_again(tmp_path):
    way = Way("fr", "en")
    clean = [text.replace("\t", " ").replace("\n", " ") for text in ODD]
    (tmp_path / "a.tsv").write_bytes(tsv_bytes(ODD, ODD[::-1], way))
    (tmp_path / "a.tmx").write_bytes(tmx_bytes(ODD, ODD[::-1], way))
    expected = list(zip(clean, clean[::-1], strict=True))
    assert pairs(read(tmp_path / "a.tsv", WAY)) == expected
    assert pairs(read(tmp_path / "a.tmx", WAY)) == expected
    assert lines_bytes(ODD).decode().split("\n") == [*clean, ""]


# --- real data -----------------------------------------------------------------------------------

REAL = Path(os.environ.get("GRADATIM_DATA", "/nowhere")) / "multi30k"


@pytest.mark.skipif(not REAL.exists(), reason="GRADATIM_DATA names no folder with multi30k")
def test_multi30k_is_read_whole():
    data = read(REAL, WAY)
    assert len(data) == 29_000 + 1_014 + 1_000
    assert int(data.sealed.sum()) == 1_000
    assert pairs(data)[0] == (
        "Deux jeunes hommes blancs sont dehors près de buissons.",
        "Two young, White males are outside near many bushes.",
    )
    lengths = (data.samples.inputs >= 0).sum(1).numpy()
    assert np.all(lengths > 0)
