"""Model text: what is carried from window to window, and scores that do not depend on pieces."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gradatim.core.learner import Learner
from gradatim.core.recipe import OptimizerChoice, Recipe
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Continuation, Signature, Text
from gradatim.data.running_text import RunningText
from gradatim.layers.text.bpe import Bpe
from gradatim.layers.text.next_tokens import NextTokens
from gradatim.layers.text.reader import Reader
from gradatim.layers.text.recurrent_reader import RecurrentReader
from gradatim.layers.text.tokens import BEGIN, PAD, Characters
from gradatim.ops.text.characters import coded
from gradatim.optim import OPTIMIZERS
from gradatim.tasks.model_text import STATE, TASK

ALPHABET = " abcd"
SIGNATURE = Signature(input=Text(length=12, alphabet=ALPHABET), output=Continuation())
OURS = TASK.of(SIGNATURE)


def text_samples(rows: int = 9, seed: int = 0) -> Samples:
    chance = np.random.default_rng(seed)
    texts = ["".join(chance.choice(list(ALPHABET), 12)) for _ in range(rows - 1)]
    codes = coded([*texts, "abc"], ALPHABET)
    return Samples(codes, codes)


def reader(cell: str = "lstm", count: int = 9) -> RecurrentReader:
    torch.manual_seed(0)
    return RecurrentReader(cell, count, 6, 8, 1, 0.0)


def model(cell: str = "lstm") -> Model:
    return Model(Characters(ALPHABET), reader(cell), NextTokens()).eval()


def learner_of(network: nn.Module, name: str = "sgd", **numbers: object) -> Learner:
    choice = OptimizerChoice.parse({"name": name, "weight_decay": 0.0, **numbers})
    optimizer = OPTIMIZERS[name](list(network.parameters()), choice)
    return Learner(network, {"model": optimizer}, lambda step: 0.1)


def draws(window: int = 5, batch: int = 3) -> RunningText:
    tokens = Characters(ALPHABET)(text_samples().inputs)
    recipe = Recipe(batch=batch, window=window)
    return RunningText(Samples(tokens, tokens), recipe)


# --- scores ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_score_is_that_of_the_text_read_in_one_go(monkeypatch, cell):
    """The state is carried over rows and over the pieces in which they are read."""
    samples, fitted = text_samples(), model(cell)
    tokens = torch.cat([row[row != PAD] for row in fitted.preprocess(samples.inputs)])
    before = torch.cat([torch.tensor([BEGIN]), tokens[:-1]])
    with torch.no_grad():
        logits = fitted.network(before[None])[0]
        expected = F.cross_entropy(logits, tokens, reduction="sum").item()
    monkeypatch.setattr("gradatim.ops.text.reading.TOGETHER", 7)
    said = OURS.answers(fitted, samples)
    assert said.shape == samples.inputs.shape
    assert said.sum() == pytest.approx(expected, rel=1e-5)
    assert (said[-1, 3:] == 0).all()
    assert (said[:-1] > 0).all()


def test_rows_that_do_not_go_on_begin_anew():
    samples, fitted = text_samples(), model()
    alone = [OURS.answers(fitted, samples.take([row])) for row in range(9)]
    apart = Samples(samples.inputs, samples.targets, numbers=torch.arange(9) * 2)
    np.testing.assert_allclose(OURS.answers(fitted, apart), np.concatenate(alone), rtol=1e-5)
    joined = OURS.answers(fitted, samples)
    assert not np.allclose(joined[1:], np.concatenate(alone)[1:], rtol=1e-3)


def test_a_token_of_several_characters_pays_at_its_first():
    pytest.importorskip("tokenizers")
    rows = ["abab cd abab", "abab abab cd", "cd cd cd abc"] * 4
    codes = coded(rows, ALPHABET)
    tokens = Bpe(ALPHABET, 16).fit(codes)
    fitted = Model(tokens, reader(count=16), NextTokens()).eval()
    samples = Samples(codes, codes)
    said = OURS.answers(fitted, samples)
    lengths = tokens.lengths()
    for row, ids in enumerate(tokens(codes)):
        real = ids[ids != PAD]
        first = lengths[real].cumsum(0) - lengths[real]
        paid = np.flatnonzero(said[row])
        assert paid.tolist() == first.tolist()
    nats, characters = OURS.read(said, samples)
    assert characters.tolist() == [12] * 12
    assert OURS.metrics["nats_per_character"](nats, characters) == pytest.approx(said.sum() / 144)


def test_a_uniform_guess_costs_the_log_of_what_there_is():
    nats = np.full((2, 12), math.log(5), dtype=np.float32)
    codes = coded(["abcdabcdabcd", "abcd" * 3], ALPHABET)
    reading = OURS.read(nats, Samples(codes, codes))
    scores = {name: metric(*reading) for name, metric in OURS.metrics.items()}
    assert scores["nats_per_character"] == pytest.approx(math.log(5), rel=1e-6)
    assert scores["bits_per_character"] == pytest.approx(math.log2(5), rel=1e-6)
    assert scores["perplexity"] == pytest.approx(5, rel=1e-6)
    np.testing.assert_allclose(OURS.quality(reading), -math.log(5), rtol=1e-6)


def test_answers_that_are_not_finite_are_no_scores():
    codes = coded(["ab"], ALPHABET)
    with pytest.raises(ValueError, match="not finite"):
        OURS.read(np.array([[np.nan, 0.0]]), Samples(codes, codes))


def test_people_read_the_passage_and_what_it_cost():
    codes = coded(["abc d", "ab"], ALPHABET)
    sample = Samples(codes, codes).take([1])
    assert OURS.text(sample, None) == "ab"
    assert OURS.text(sample, np.array([1.0, 2.0, 0, 0, 0], np.float32)) == "1.500 nats a character"


# --- learning ----------------------------------------------------------------------------------


def test_the_loss_of_a_row_leaves_out_what_is_no_token():
    logits = torch.randn(2, 3, 9)
    targets = torch.tensor([[4, 5, 6], [7, PAD, PAD]])
    whole, short = OURS.losses(logits, targets)
    assert whole.item() == pytest.approx(F.cross_entropy(logits[0], targets[0]).item(), rel=1e-6)
    one = F.cross_entropy(logits[1, :1], targets[1, :1]).item()
    assert short.item() == pytest.approx(one, rel=1e-6)
    nothing = OURS.losses(logits, torch.full((2, 3), PAD))
    assert nothing.tolist() == [0.0, 0.0], "no NaN where there is nothing to foretell"


def test_encoded_rows_foretell_the_next_token():
    samples = text_samples()
    features = OURS.encoded(model(), samples)
    assert torch.equal(features.inputs[:, 1:], features.targets[:, :-1])
    assert (features.targets[:, -1] == PAD).all()


def test_a_step_begins_where_the_last_window_ended():
    """The loss of the second window is that of both in one go, from the same weights."""
    draw, network = draws(), reader()
    learner = learner_of(network)
    learner.schedule = lambda step: 0.0  # the weights stay
    first, second = draw(0), draw(1)
    OURS.step(learner, first)
    said = OURS.step(learner, second)
    both = torch.cat([first.inputs, second.inputs], 1)
    expected = OURS.loss(network(both)[:, first.inputs.shape[1] :], second.targets)
    torch.testing.assert_close(said["loss"], expected.detach())
    assert not torch.isclose(said["loss"], OURS.loss(network(second.inputs), second.targets))


def test_an_epoch_begins_with_nothing_in_memory():
    draw, network = draws(), reader()
    learner = learner_of(network)
    learner.schedule = lambda step: 0.0
    OURS.step(learner, draw(0))
    begin = draw(draw.per_epoch)
    said = OURS.step(learner, begin)
    expected = OURS.loss(network(begin.inputs), begin.targets)
    torch.testing.assert_close(said["loss"], expected.detach())


def test_no_gradient_goes_back_into_the_last_window():
    draw, network = draws(), reader()
    learner = learner_of(network)
    OURS.step(learner, draw(0))
    state = learner.memory[STATE]
    assert not state.requires_grad
    assert state.grad_fn is None
    network.zero_grad()
    logits, _ = network.read(draw(1).inputs, state.clone())
    OURS.loss(logits, draw(1).targets).backward()
    alone = [p.grad.clone() for p in network.parameters()]
    learner.schedule = lambda step: 0.0
    OURS.step(learner, draw(1))
    for parameter, expected in zip(network.parameters(), alone, strict=True):
        torch.testing.assert_close(parameter.grad, expected)


def test_a_batch_cut_into_pieces_takes_the_same_step():
    states = []
    for pieces in (1, 2, 3):
        draw, network = draws(), reader()
        learner = learner_of(network)
        learner.pieces = pieces
        for step in range(3):
            OURS.step(learner, draw(step))
        states.append([*network.parameters(), learner.memory[STATE]])
    for other in states[1:]:
        for a, b in zip(states[0], other, strict=True):
            torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)


def test_an_optimizer_that_looks_again_carries_the_state_of_its_first_look():
    draw, network = draws(), reader()
    learner = learner_of(network, "lbfgs")
    with torch.no_grad():
        _, expected = network.read(draw(0).inputs)
    OURS.step(learner, draw(0))
    torch.testing.assert_close(learner.memory[STATE], expected)


class NextIsSame(Reader):
    """Carries nothing: says that a token comes again."""

    carries = False

    def __init__(self) -> None:
        super().__init__()
        self.sure = nn.Parameter(torch.ones(()))

    def read(self, tokens, memory=None):
        return self.sure * F.one_hot(tokens, 9).float(), tokens[:, -1:]


def test_a_network_that_carries_nothing_is_stepped_as_any_other():
    learner = learner_of(NextIsSame())
    said = OURS.step(learner, draws()(0))
    assert said["loss"].isfinite()
    assert STATE not in learner.memory


def test_only_what_goes_on_is_this_job():
    assert TASK.suits(SIGNATURE)
    assert TASK.default_metric(text_samples()) == "nats_per_character"
