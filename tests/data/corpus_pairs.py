"""Malformed sentence pairs; registers itself in the corpus."""

import gzip
from pathlib import Path

from .corpus import DATA, USAGE, case, text_case

EN = "".join(f"The house has {i} doors.\n" for i in range(12))
FR = "".join(f"La maison a {i} portes.\n" for i in range(12))
WAY = ("--from", "fr", "--to", "en")


def aligned(folder: Path, **files: str | bytes) -> str:
    """Write NAME_LANG=content as NAME.LANG."""
    (folder / "set").mkdir()
    for name, content in files.items():
        path = folder / "set" / name.replace("_", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(folder / "set")


@case
def languages_without_a_way(folder: Path):
    return [aligned(folder, train_fr=FR, train_en=EN)], USAGE


@case
def three_languages_and_one_told(folder: Path):
    place = aligned(folder, train_fr=FR, train_en=EN, train_de=EN)
    return [place, "--from", "fr"], USAGE


@case
def language_that_is_not_there(folder: Path):
    return [aligned(folder, a_fr=FR, a_en=EN), "--from", "it"], USAGE


@case
def one_language_twice(folder: Path):
    place = aligned(folder, a_fr=FR, a_en=EN)
    return [place, "--from", "fr", "--to", "FR"], USAGE


@case
def columns_of_sentences(folder: Path):
    return [aligned(folder, a_fr=FR, a_en=EN), *WAY, "--target", "y"], USAGE


@case
def unequal_line_counts(folder: Path):
    return [aligned(folder, train_fr=FR, train_en=EN + "One more.\n"), *WAY], DATA


@case
def folder_without_pairs(folder: Path):
    return [aligned(folder, train_fr=FR), "--task", "translate"], DATA


@case
def empty_language(folder: Path):
    return [aligned(folder, train_fr=FR, train_en=""), *WAY], DATA


@case
def sentences_in_cp1252(folder: Path):
    return [aligned(folder, train_fr="été\n".encode("cp1252"), train_en=EN), *WAY], DATA


@case
def sentences_with_a_nul_byte(folder: Path):
    return [aligned(folder, train_fr=FR.replace("3", "\0"), train_en=EN), *WAY], DATA


@case
def packed_sentences_cut(folder: Path):
    place = Path(aligned(folder, train_en=EN))
    (place / "train.fr.gz").write_bytes(gzip.compress(FR.encode())[:-9])
    return [str(place), *WAY], DATA


@case
def blank_sentences(folder: Path):
    return [aligned(folder, train_fr="\n" * 12, train_en=EN), *WAY], DATA


@case
def test_part_alone(folder: Path):
    return [aligned(folder, test_fr=FR, test_en=EN), *WAY], DATA


@case
def endless_lines(folder: Path):
    return [aligned(folder, train_fr="mot " * 500, train_en="word " * 500), *WAY], DATA


@case
def language_that_is_a_link_out(folder: Path):
    place = Path(aligned(folder, train_fr=FR))
    (folder / "train.en").write_text(EN)
    (place / "train.en").symlink_to(folder / "train.en")
    return [str(place), *WAY], DATA


text_case("pairs_of_one_column", FR, "--task", "translate", file="t.tsv")
text_case("pairs_of_three_columns", "a\tb\tc\nd\te\tf\n", "--task", "translate", file="t.tsv")
text_case("pairs_with_a_ragged_row", "a\tb\nc\n", *WAY, file="t.tsv")
text_case("pairs_named_otherwise", "de\ten\na\tb\n", *WAY, file="t.tsv", code=USAGE)
text_case("blank_pairs", "\n\n", "--task", "translate", file="t.tsv")
text_case("messages_that_are_none", "msgid open\n", *WAY, file="t.po")
text_case("messages_without_translation", 'msgid "a"\nmsgstr ""\n', *WAY, file="t.po")
text_case("empty_messages", "", *WAY, file="t.po")
text_case("memory_that_is_no_xml", "<tmx><tu>", *WAY, file="t.tmx")
text_case(
    "memory_with_entities",
    '<!DOCTYPE tmx [<!ENTITY a "aaaa">]><tmx><tu><tuv><seg>&a;</seg></tuv></tu></tmx>',
    *WAY,
    file="t.tmx",
)
text_case("memory_without_units", "<tmx><body/></tmx>", *WAY, file="t.tmx", code=USAGE)
text_case("sentences_with_nobody_beside", FR, *WAY, file="train.fr")
