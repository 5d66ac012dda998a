"""Translation through the command line: line-aligned files in, lines and messages out."""

from pathlib import Path

import numpy as np
import pytest

from .shell import gradatim

NOUNS = {"chat": "cat", "chien": "dog", "mur": "wall", "train": "train", "lit": "bed"}
VERBS = {"dort": "sleeps", "tombe": "falls", "brille": "shines"}
WAY = ("--from", "fr", "--to", "en")
PO = """msgid ""
msgstr ""
"Language: en\\n"

#, c-format
msgid "le chat %s dort"
msgstr ""
"""


def _pair(chance: np.random.Generator) -> tuple[str, str]:
    noun, verb, number = chance.choice(list(NOUNS)), chance.choice(list(VERBS)), chance.integers(99)
    article, end = chance.choice(["le", "un"]), chance.choice([".", "!"])
    said = f"{'the' if article == 'le' else 'a'} {NOUNS[noun]} {number} {VERBS[verb]}{end}"
    return f"{article} {noun} {number} {verb}{end}", said


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place, chance = tmp_path_factory.mktemp("translate"), np.random.default_rng(0)
    (place / "corpus").mkdir()
    for part, rows in (("train", 60), ("test", 20)):
        pairs = [_pair(chance) for _ in range(rows)]
        french, english = ("".join(f"{pair[side]}\n" for pair in pairs) for side in (0, 1))
        (place / "corpus" / f"{part}.fr").write_text(french)
        (place / "corpus" / f"{part}.en").write_text(english)
    said = gradatim(place, "fit", "corpus", *WAY, "--rung", "ibm1", "--out", "run")
    assert said.code == 0, said.err
    return place


def test_evaluate_says_how_bleu_was_computed(folder):
    said = gradatim(folder, "evaluate", "run")
    assert said.code == 0, said.err
    assert "20 rows" in said.out
    assert "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp" in said.out
    facts = gradatim(folder, "evaluate", "run", "corpus/test.fr", "--json").json
    assert facts["metric"] == "bleu"
    assert facts["score"] > 80
    assert set(facts["scores"]) == {"bleu", "chrf", "exact"}


def test_predict_translates_lines(folder):
    (folder / "ask.txt").write_text("le chien 7 dort.\n\nle lit brille.\n")
    said = gradatim(folder, "predict", "run", "ask.txt")
    assert (said.code, said.out) == (0, "the dog 7 sleeps.\n\nthe bed shines.\n"), said.err
    told = gradatim(folder, "predict", "run", "ask.txt", "--json").json["predictions"]
    assert told[2] == {"row": "line 3", "prediction": "the bed shines."}
    assert gradatim(folder, "predict", "run", "ask.txt", "--out", "said.tsv").out == ""
    assert (folder / "said.tsv").read_text().splitlines()[
        1
    ] == "le chien 7 dort.\tthe dog 7 sleeps."


def test_predict_fills_a_catalogue_and_keeps_its_placeholders(folder):
    (folder / "en.po").write_text(PO)
    assert gradatim(folder, "predict", "run", "en.po", "--out", "out.po").code == 0
    text = (folder / "out.po").read_text()
    assert "#, fuzzy, c-format" in text
    answer = text.rpartition("msgstr ")[2]
    assert answer.count("%s") == 1
    assert "cat" in answer
    assert gradatim(folder, "predict", "run", "ask.txt", "--out", "other.po").code == 2
    assert not (folder / "other.po").exists()


def test_a_climb_of_sentences_ends_with_a_verdict(folder):
    said = gradatim(
        folder,
        "climb",
        "corpus",
        *WAY,
        "--rungs",
        "copy_source,ibm1",
        "--folds",
        "2",
        "--out",
        "climbed",
        "--json",
    )
    assert said.code == 0, said.err
    assert said.json["verdict"]["rung"] == "ibm1"
    rival = gradatim(folder, "fit", "corpus", *WAY, "--rung", "copy_source", "--out", "rival")
    assert rival.code == 0, rival.err
    against = gradatim(folder, "evaluate", "run", "--against", "rival")
    assert "better by" in against.out, against.err


def test_without_languages_they_are_asked_for(folder):
    said = gradatim(folder, "climb", "corpus")
    assert said.code == 2
    assert "--from fr --to en" in said.err
