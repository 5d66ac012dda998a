"""The rungs of translation that need no gradient, on sentences that can be checked by eye."""

import string

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from gradatim.core.samples import Samples
from gradatim.core.signature import Signature, Text, Translation
from gradatim.layers.translation.by_sentence import Copying
from gradatim.layers.translation.lines import Lines, bytes_for
from gradatim.layers.translation.memory import Memory, counted
from gradatim.layers.translation.word_table import WordTable
from gradatim.models.translation.copy_source import CopySource
from gradatim.models.translation.ibm1 import Ibm1
from gradatim.models.translation.nearest_sentence import NearestSentence
from gradatim.ops.text.characters import coded, written
from gradatim.tasks.translate import TASK

PAIRS = [
    ("das Haus ist klein.", "the house is small."),
    ("das Buch ist alt.", "the book is old."),
    ("ein Buch, ein Haus", "a book, a house"),
    ("der Mann liest das Buch.", "the man reads the book."),
    ("der Mann ist klein.", "the man is small."),
    ("ein Mann sieht das Haus.", "a man sees the house."),
]
SOURCES, TARGETS = [a for a, _ in PAIRS], [b for _, b in PAIRS]
GERMAN, ENGLISH = (
    "".join(sorted({*string.ascii_letters, *"".join(texts)})) for texts in (SOURCES, TARGETS)
)
SIGNATURE = Signature(
    input=Text(length=40, alphabet=GERMAN), output=Translation(length=40, alphabet=ENGLISH)
)
SAMPLES = Samples(coded(SOURCES, GERMAN), coded(TARGETS, ENGLISH))


def answers(model, texts: list[str]) -> list[str]:
    inputs = coded(texts, GERMAN)
    return TASK.of(SIGNATURE).answers(model, Samples(inputs, inputs)).tolist()


def test_ibm1_translates_word_by_word():
    model = Ibm1(steps=30).solve(SAMPLES, SIGNATURE, 0)
    assert answers(model, ["das Buch ist klein.", "ein Mann, das Haus", ""]) == [
        "the book is small.",
        "a man, the house",
        "",
    ]


def test_ibm1_copies_what_it_does_not_know_and_forgives_capitals():
    model = Ibm1(steps=30).solve(SAMPLES, SIGNATURE, 0)
    assert answers(model, ["Das buch ist sehr alt."]) == ["the book is sehr old."]


def test_ibm1_draws_pairs_where_there_are_too_many():
    rows = torch.arange(len(PAIRS)).repeat(4)
    many = SAMPLES.take(rows)
    few = Ibm1(steps=3, most=12).solve(many, SIGNATURE, 0)
    again, other = (Ibm1(steps=3, most=12).solve(many, SIGNATURE, seed) for seed in (0, 1))
    assert torch.equal(few.network.chance, again.network.chance)
    assert not torch.equal(
        few.network.chance, Ibm1(steps=3).solve(many, SIGNATURE, 0).network.chance
    )
    assert other.extents["words"] > 0


def test_ibm1_keeps_the_chance_of_each_meaning():
    model = Ibm1(steps=3).solve(SAMPLES, SIGNATURE, 0)
    assert model.extents["words"] == len(model.network.chance)
    assert (model.network.chance > 0).all()
    assert (model.network.chance <= 1 + 1e-12).all()


def test_the_nearest_sentence_is_the_one_of_scikit_learn():
    """The same weights, the same cosine; words without capitals, punctuation among them."""
    model = NearestSentence().solve(SAMPLES, SIGNATURE, 0)
    peer = TfidfVectorizer(analyzer=lambda text: list(counted(text).elements()))
    kept = peer.fit_transform(SOURCES)
    asked = ["ein Mann liest", "das Haus ist alt.", "Buch Buch Buch", "der Mann sieht klein"]
    near = np.asarray((peer.transform(asked) @ kept.T).todense()).argmax(1)
    assert answers(model, asked) == [TARGETS[row] for row in near]


def test_weights_of_the_memory_are_those_of_scikit_learn():
    model = NearestSentence().solve(SAMPLES, SIGNATURE, 0)
    peer = TfidfVectorizer(analyzer=lambda text: list(counted(text).elements()))
    theirs = peer.fit_transform(SOURCES).toarray()
    ours, memory = np.zeros_like(theirs), model.network
    row = np.repeat(np.arange(len(SOURCES)), np.diff([*memory.starts.tolist(), len(memory.places)]))
    ours[row, memory.places.numpy()] = memory.weights.numpy()
    order = [peer.vocabulary_[word] for word in memory.words.texts()]
    np.testing.assert_allclose(ours, theirs[:, order], rtol=1e-12)


def test_a_sentence_that_was_seen_has_its_translation():
    model = NearestSentence().solve(SAMPLES, SIGNATURE, 0)
    assert answers(model, SOURCES) == TARGETS
    assert answers(model, ["zzz"]) == [TARGETS[0]], "nothing in common: the first, not an error"


def test_copying_says_it_in_the_letters_of_the_target():
    source, target = "abcfx\u00c5\u00e9\u00f8", "Aabceo"
    network = Copying(source, target)
    said = network(coded(["caf\u00e9x", "\u00c5\u00f8a"], source))
    assert written(said, target) == ["cae", "Aa"], "\u00f8 has no letter below its mark"
    assert answers(CopySource().solve(SAMPLES, SIGNATURE, 0), ["ein Haus"]) == ["ein Haus"]


@pytest.mark.parametrize("texts", [[], [""], ["a", "été \U0001f600", ""], ["two\nlines"]])
def test_lines_keep_texts(texts):
    kept = Lines(bytes_for(texts)).fill(texts).texts()
    assert kept == [text.replace("\n", " ") for text in texts]


@pytest.mark.parametrize("network", [Memory("ab", "ab", {}), WordTable("ab", "ab", 0, 0, 0)])
def test_empty_networks_build_without_memory(network):
    with torch.device("meta"):
        again = type(network)(*("ab", "ab", *([{}] if isinstance(network, Memory) else [1, 2, 3])))
    assert all(value.is_meta for value in again.state_dict().values())
