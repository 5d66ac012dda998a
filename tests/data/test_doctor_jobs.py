"""The data doctor on text, sentence pairs, games and rows without targets."""

import json

import pytest
import torch

from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import (
    Actions,
    Continuation,
    Density,
    Game,
    Image,
    Signature,
    Synthesis,
    Text,
    Translation,
)
from gradatim.data.doctor import examine, inspection
from gradatim.data.origin import what_to_give
from gradatim.ops.text.characters import coded

ROWS = 200


def _data(inputs, targets, field, output, groups=None) -> Dataset:
    signature = Signature(input=field, output=output)
    names = [f"line {row}" for row in range(len(inputs))]
    return Dataset("some", Samples(inputs, targets, groups), signature, names, "f", "some")


def _text(texts, groups=None) -> Dataset:
    alphabet = "".join(sorted(set("".join(texts))))
    codes = coded(texts, alphabet)
    field = Text(length=codes.shape[1], alphabet=alphabet, language="en")
    return _data(codes, codes, field, Continuation(), groups)


def _pairs(sources, targets) -> Dataset:
    codes, answers = coded(sources, "abcdefghij"), coded(targets, "xyz")
    field = Text(length=codes.shape[1], alphabet="abcdefghij")
    output = Translation(length=answers.shape[1], alphabet="xyz", language="fr")
    return _data(codes, answers, field, output)


def _words(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in str(number * 7919))


def _games() -> Dataset:
    game, output = Game(name="breakout10", shape=(4, 10, 10)), Actions(names=("left", "right"))
    return _data(torch.arange(ROWS)[:, None], torch.zeros(ROWS, 1), game, output)


def _pictures(output) -> Dataset:
    chance = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 17, (ROWS, 1, 8, 8), generator=chance, dtype=torch.uint8)
    targets = torch.arange(ROWS) % 3 if isinstance(output, Synthesis) else torch.zeros(ROWS, 1)
    return _data(pixels, targets, Image(channels=1, height=8, width=8), output)


CLEAN = {
    "text": lambda: _text([_words(row) for row in range(ROWS)]),
    "pairs": lambda: _pairs([_words(row) for row in range(ROWS)], ["xyz"] * ROWS),
    "games": _games,
    "density": lambda: _pictures(Density(grains=(1.0,))),
    "synthesis": lambda: _pictures(Synthesis(names=("a", "b", "c"), levels=17)),
}


@pytest.mark.parametrize("kind", CLEAN)
def test_nothing_is_said_where_nothing_is_wrong(kind):
    data = CLEAN[kind]()
    said = examine(data)
    assert said.findings == ()
    assert said.samples.groups is None
    assert inspection(said)["duplicates"] == 0


@pytest.mark.parametrize("kind", CLEAN)
def test_the_summary_is_json_and_short(kind):
    summary = inspection(CLEAN[kind]())
    text = json.dumps(summary, allow_nan=False)
    assert len(text) < 2000
    assert summary["input"]["kind"] == CLEAN[kind]().signature.input.kind


def test_a_text_is_summed_up_in_numbers():
    summary = inspection(_text(["abc", "de", "a"]))
    assert summary["input"] == {
        "kind": "text",
        "language": "en",
        "characters": 6,
        "different_characters": 5,
        "shortest": 1,
        "longest": 3,
    }
    target = inspection(_pairs(["ab", "c"], ["x", "yyy"]))["target"]
    assert (target["kind"], target["language"], target["characters"]) == ("translation", "fr", 4)


def test_classes_to_draw_from_are_counted():
    target = inspection(CLEAN["synthesis"]())["target"]
    assert target["classes"] == [
        {"name": "a", "count": 67},
        {"name": "b", "count": 67},
        {"name": "c", "count": 66},
    ]


def test_sentences_that_repeat_share_a_group():
    sources = [_words(row) for row in range(ROWS)]
    sources[150] = sources[3]
    said = examine(_pairs(sources, ["xyz" if row % 2 else "zy" for row in range(ROWS)]))
    assert [finding.code for finding in said.findings] == ["duplicates"]
    groups = said.samples.groups
    assert groups is not None
    assert groups[150] == groups[3]
    assert len(groups.unique()) == ROWS - 1


def test_passages_keep_their_sections():
    """One passage that repeats joins its two sections, and no other."""
    texts = [_words(row) for row in range(ROWS)]
    texts[199] = texts[0]
    said = examine(_text(texts, torch.arange(ROWS) // 5))
    groups = said.samples.groups
    assert groups is not None
    assert len(groups.unique()) == 39
    assert groups[199] == groups[0]
    assert groups[5] != groups[0]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (Text(length=1, alphabet="a"), "the model reads text"),
        (Game(name="breakout10", shape=(4,)), "give env:breakout10"),
    ],
)
def test_a_remedy_says_what_the_model_reads(field, said):
    assert said in what_to_give(field)
