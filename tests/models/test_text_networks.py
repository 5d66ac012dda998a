"""The networks that model text: what they learn, carry, keep and cost."""

import math

import numpy as np
import pytest
import torch

from gradatim.core.errors import ConfigError
from gradatim.core.recipe import Recipe
from gradatim.core.samples import Samples
from gradatim.core.signature import Continuation, Signature, Text
from gradatim.models import RUNGS
from gradatim.ops.multiply_adds import multiply_adds
from gradatim.runs.model_folder import load_model, save_model
from gradatim.tasks import TASKS
from gradatim.train.fitting import Fitting

NETWORKS = ("rnn", "lstm", "gru", "decoder")
ALPHABET = "abcdefgh ()"
SIGNATURE = Signature(input=Text(length=64, alphabet=ALPHABET), output=Continuation())
TASK = TASKS["model_text"].of(SIGNATURE)


def passages(text: str) -> Samples:
    """A text as the source gives it: passages of 64 characters, the last one shorter."""
    numbers = [ALPHABET.index(character) for character in text]
    numbers += [-1] * (-len(numbers) % 64)
    inputs = torch.tensor(numbers, dtype=torch.int32).view(-1, 64)
    return Samples(inputs, inputs)


def fitted(name: str, text: str, epochs: int, **settings: object) -> Fitting:
    rung = RUNGS[name].parse({**RUNGS[name].sizes["tiny"], **settings})
    plan = {"epochs": epochs, "batch": 4, "window": 32, "validation": 0, "optimizer": {"lr": 0.01}}
    return Fitting(rung, TASK, passages(text), SIGNATURE, Recipe.parse(plan))


def nats(fitting: Fitting, text: str) -> float:
    samples = passages(text)
    said, characters = TASK.read(TASK.answers(fitting.model, samples), samples)
    return float(said.sum() / characters.sum())


def names(count: int) -> str:
    """A letter of four in brackets, blanks, and the same letter again: known from 4 places back."""
    chance = np.random.default_rng(0)
    return "".join(f"({letter}  ){letter}" for letter in chance.choice(list("abcd"), count))


@pytest.mark.parametrize("name", NETWORKS)
def test_learns_what_stands_several_tokens_back(name):
    """Of six characters one is news, log 4 / 6 nats; who does not look back pays that twice."""
    fitting = fitted(name, names(480), epochs=25, width=32, dropout=0.0)
    list(fitting)
    unheard = names(500)[len(names(480)) :]
    news = math.log(4) / 6
    assert 0.9 * news < nats(fitting, unheard) < 1.5 * news


@pytest.mark.parametrize("name", NETWORKS)
def test_carries_its_memory_from_window_to_window(name):
    """In training: the letter before a window is known in it, though no gradient goes there."""
    fitting = fitted(name, names(60), epochs=2)
    fitting.move()
    carried = fitting.learner.memory["state"]
    assert len(carried) == 4
    assert not carried.requires_grad
    batch = fitting.draw(1)
    network = fitting.learner.model.eval()
    assert (batch.times > 0).all()
    with torch.no_grad():
        known, alone = network.read(batch.inputs, carried)[0], network(batch.inputs)
    assert not torch.isclose(known[:, 0], alone[:, 0]).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_goes_on_bit_for_bit_in_the_middle_of_an_epoch(name):
    text = names(80)
    whole, begun, resumed = (fitted(name, text, epochs=2) for _ in range(3))
    list(whole)
    assert begun.draw.per_epoch == 3
    for _ in range(2):
        begun.move()
    resumed.load_state_dict(begun.state_dict())
    list(resumed)
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key


@pytest.mark.parametrize("name", NETWORKS)
def test_is_as_large_as_its_page_says(name):
    """The formulas under Cost, at settings that nobody would mix up."""
    v = len(ALPHABET) + 4
    if name == "decoder":
        w, r, blocks = 24, 3, 2
        rung = RUNGS[name](width=w, ratio=r, depth=blocks, heads=2)
        matrices = v * w + blocks * (4 + 2 * r) * w**2
        vectors = blocks * (4 * w + r * w + w) + 2 * w + v
    else:
        e, w, gates = 5, 24, {"rnn": 1, "gru": 3, "lstm": 4}[name]
        rung = RUNGS[name](embedding=e, width=w)
        matrices, vectors = v * e + gates * w * (e + w + 2) + v * (w + 1), 0
    network = rung.build(SIGNATURE, {}).network
    assert sum(p.numel() for p in network.parameters()) == matrices + vectors


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_its_multiply_adds_are_counted(name):
    """Those of torch's LSTM too, which is one operation for all steps."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[name]
    network = RUNGS[name](embedding=5, width=24).build(SIGNATURE, {}).network
    tokens = torch.ones(1, 7, dtype=torch.int64)
    step = gates * 24 * (5 + 24) + 24 * (len(ALPHABET) + 4)
    assert multiply_adds(network, tokens) == 7 * step


@pytest.mark.parametrize("name", NETWORKS)
def test_longer_texts_are_read_less_often(name):
    rung, epochs = RUNGS[name](), []
    for characters in (5_000, 50_000, 10**6, 10**7, 10**9):
        recipe = rung.recipe(characters // 64, SIGNATURE)
        epochs.append(recipe.epochs)
        steps = characters // (recipe.batch * recipe.window)
        assert recipe.batch == 1 or steps >= 40, "enough steps an epoch"
        assert 0 < recipe.validation < 0.1
    assert epochs == sorted(epochs, reverse=True)
    assert epochs[0] > epochs[2] > epochs[-1] >= 2


@pytest.mark.parametrize("name", NETWORKS)
def test_pieces_of_words_are_of_its_fold_and_stay_with_it(name, tmp_path):
    """Nats are a character: those of pieces and of characters mean the same."""
    pytest.importorskip("tokenizers")
    rung = type(RUNGS[name].of_size("tiny")).parse(
        {**RUNGS[name].sizes["tiny"], "tokens": "bpe", "vocabulary": 24}
    )
    text = names(250)
    recipe = Recipe.parse({"epochs": 4, "batch": 4, "window": 16, "validation": 0})
    fitting = Fitting(rung, TASK, passages(text), SIGNATURE, recipe)
    list(fitting)
    samples = passages(text)
    answers = TASK.answers(fitting.model, samples)
    assert answers.shape == samples.inputs.shape
    assert (answers == 0).any(), "a piece of several characters stands at its first one"
    assert nats(fitting, text) < math.log(len(ALPHABET))
    save_model(tmp_path, fitting.model, rung, SIGNATURE, TASK.name, "nats_per_character", "")
    again, _ = load_model(tmp_path)
    np.testing.assert_array_equal(TASK.answers(again, samples), answers)


def test_heads_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="width = 20 must be a multiple of twice the heads"):
        RUNGS["decoder"].parse({"width": 20, "heads": 4})
