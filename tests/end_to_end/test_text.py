"""A text through the command line: climbed, gone on with, looked over, scored."""

from pathlib import Path

import numpy as np
import pytest

from .shell import gradatim

WORDS = ("the", "cat", "sat", "on", "a", "mat", "and", "saw", "it", "go")


def prose(characters: int, seed: int = 0) -> str:
    """Words without a meaning, in lines."""
    words = " ".join(np.random.default_rng(seed).choice(WORDS, characters // 2))
    return "\n".join(words[i : i + 59] for i in range(0, characters, 59))[:characters]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("text")
    (place / "cats.txt").write_text(prose(12_000))
    (place / "more.txt").write_text(prose(700, 1))
    flags = ("--rungs", "unigram,ngram", "--folds", "2", "--out", "run")
    said = gradatim(place, "climb", "cats.txt", *flags)
    assert said.code == 0, said.err
    assert "nats_per_character" in said.out
    assert "Take ngram" in said.out
    return place


def test_the_text_is_looked_over(folder):
    facts = gradatim(folder, "inspect", "cats.txt", "--quick", "--json").json
    assert facts["task"] == "model_text"
    assert facts["metric"] == "nats_per_character"
    assert facts["input"]["characters"] == 12_000
    assert facts["test_rows"] == 5  # 1,200 characters


def test_a_prompt_is_gone_on_with(folder):
    said = gradatim(folder, "predict", "run", "--prompt", "the cat", "--length", "40")
    assert said.code == 0, said.err
    assert said.out.startswith("the cat")
    assert len(said.out) == 7 + 40 + 1
    again = gradatim(folder, "predict", "run", "--prompt", "the cat", "--length", "40", "--json")
    assert again.json["text"] + "\n" == said.out
    other = gradatim(
        folder, "predict", "run", "--prompt", "the cat", "--length", "40", "--seed", "1"
    )
    assert other.out != said.out
    sure = gradatim(
        folder, "predict", "run", "--length", "9", "--temperature", "0", "--out", "a.txt"
    )
    assert (sure.code, (folder / "a.txt").read_text() != "") == (0, True)


def test_a_text_is_scored_passage_by_passage(folder):
    lines = gradatim(folder, "predict", "run", "more.txt").out.splitlines()
    assert lines[0] == "row,characters,nats_per_character"
    assert [line.split(",")[1] for line in lines[1:]] == ["256", "256", "188"]
    facts = gradatim(folder, "evaluate", "run", "more.txt", "--json").json
    nats = [float(line.split(",")[2]) for line in lines[1:]]
    assert facts["score"] == pytest.approx(np.average(nats, weights=[256, 256, 188]), abs=1e-5)
    assert facts["score"] < 1.0  # ten words: 2.4 nats for each of them, and its space


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("predict", "run", "--prompt", "Ω"), 2, "Ω"),
        (("predict", "run", "--temperature", "-1"), 2, "--temperature"),
        (("predict", "run", "--count", "3"), 2, "--count"),
        (("climb", "cats.txt", "--target", "y"), 2, "no column"),
        (("climb", "short.txt"), 3, "3,000 characters"),
        (("climb", "text:cats.txt", "--group", "y"), 2, "no columns"),
        (("climb", "bytes.md"), 3, "no text has"),
    ],
)
def test_what_is_refused(folder, arguments, code, words):
    (folder / "short.txt").write_text(prose(3000))
    (folder / "bytes.md").write_bytes(prose(8000).encode() + b"\0")
    said = gradatim(folder, *arguments)
    assert (said.code, said.out) == (code, ""), said.err
    assert words in said.err
    assert said.err.count("\n") <= 3
