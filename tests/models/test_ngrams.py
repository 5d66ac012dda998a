"""N-grams: on a text where the answer is known, and on the text that others measured."""

import math

import numpy as np
import pytest
import torch

from gradatim.core.samples import Samples
from gradatim.core.signature import Continuation, Signature, Text
from gradatim.data.read import read
from gradatim.models.text.kneser_ney import KneserNey
from gradatim.models.text.ngram import Ngram
from gradatim.models.text.unigram import Unigram
from gradatim.ops.text.characters import coded
from gradatim.tasks.model_text import TASK

RUNGS = [Unigram(), Ngram(), Ngram(order=2), KneserNey(), KneserNey(order=1)]


def chain(rows: int = 60, seed: int = 0) -> tuple[Samples, Signature]:
    """A text in which a is followed by b or c, b by a, and c by a: its entropy is known."""
    chance = np.random.default_rng(seed)
    text = "".join(f"a{chance.choice(['b', 'c'])}" for _ in range(rows * 10))
    codes = coded([text[i : i + 20] for i in range(0, len(text), 20)], "abc")
    signature = Signature(input=Text(length=20, alphabet="abc"), output=Continuation())
    return Samples(codes, codes), signature


def nats(rung: Unigram, seed: int = 1) -> float:
    learnt, signature = chain()
    unseen, _ = chain(seed=seed)
    task = TASK.of(signature)
    said = task.answers(rung.solve(learnt, signature, 0), unseen)
    return task.metrics["nats_per_character"](*task.read(said, unseen))


def test_a_unigram_costs_the_entropy_of_the_characters():
    """Half are a, a quarter b, a quarter c: 1.5 bits."""
    assert nats(Unigram()) == pytest.approx(1.5 * math.log(2), abs=0.01)


@pytest.mark.parametrize("rung", [Ngram(order=2), KneserNey(order=2), Ngram(order=3)])
def test_an_ngram_costs_the_entropy_of_the_chain(rung):
    """After a one of two, after these always a: half a bit a character."""
    assert nats(rung) == pytest.approx(0.5 * math.log(2), abs=0.03)


@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: f"{rung.name}-{rung.longest}")
def test_a_later_character_changes_nothing_said_before_it(rung):
    samples, signature = chain()
    model = rung.solve(samples, signature, 0)
    inputs = samples.inputs[:1].clone()
    before = model(inputs)
    inputs[0, 9] = (inputs[0, 9] + 1) % 3
    after = model(inputs)
    assert torch.equal(after[0, :9], before[0, :9])
    assert rung.longest == 1 or not torch.equal(after[0, 9:], before[0, 9:])


def test_an_order_of_one_is_the_unigram():
    assert nats(Ngram(order=1)) == pytest.approx(nats(Unigram()))


def test_pieces_of_words_are_counted_too():
    pytest.importorskip("tokenizers")
    pieces = nats(Ngram(order=3, tokens="bpe", vocabulary=16))
    # Nats of characters, whatever is counted; a token of three costs three times as much.
    assert 0.5 * math.log(2) < pieces < 0.8 * math.log(2)


@pytest.mark.parametrize(
    ("rung", "expected"),
    [
        # The figure that was measured for this split by somebody else's program.
        (Ngram(), 1.698),
        # By the plain formulas in a program of a few lines: order 5.
        (Ngram(order=5), 1.6688),
        (Unigram(), 3.3473),
        (KneserNey(), 1.558),
    ],
    ids=["6-gram", "5-gram", "unigram", "kneser_ney"],
)
def test_tinyshakespeare(data_root, rung, expected):
    data = read(data_root / "text" / "tinyshakespeare.txt")
    task = TASK.of(data.signature)
    model = rung.solve(data.samples.take((~data.sealed).nonzero()[:, 0]), data.signature, 0)
    test = data.samples.take(data.sealed.nonzero()[:, 0])
    score = task.metrics["nats_per_character"](*task.read(task.answers(model, test), test))
    assert score == pytest.approx(expected, abs=6e-4)
