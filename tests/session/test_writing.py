"""What a model of text writes: a function of prompt and seed, in its own characters."""

from collections import Counter

import pytest
import torch

from gradatim.core.errors import ConfigError
from gradatim.core.samples import Samples
from gradatim.core.signature import Continuation, Signature, Text
from gradatim.models.text.ngram import Ngram
from gradatim.ops.text.characters import coded
from gradatim.runs.model_folder import load_model, save_model
from gradatim.session.writing import continued
from gradatim.tasks.model_text import TASK

WORDS = "the cat sat on the mat and the cat saw the mat "


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A model of characters in a folder, as `load` gives it."""
    return made(Ngram(order=4), tmp_path_factory.mktemp("characters"))


def made(rung: Ngram, folder):
    text = WORDS * 40
    alphabet = "".join(sorted(set(text)))
    codes = coded([text[i : i + 40] for i in range(0, len(text), 40)], alphabet)
    signature = Signature(input=Text(length=40, alphabet=alphabet), output=Continuation())
    model = rung.solve(Samples(codes, codes), signature, 0)
    save_model(folder, model, rung, signature, "model_text", "nats_per_character", "a card")
    return (*load_model(folder), TASK.of(signature))


def test_it_goes_on_with_the_prompt_for_as_many_characters(loaded):
    said = continued(loaded, "the ", length=50)
    assert said.startswith("the ")
    assert len(said) == 54
    assert set(said) <= set(WORDS)


def test_the_same_seed_writes_the_same(loaded):
    assert continued(loaded, "a", seed=3) == continued(loaded, "a", seed=3)
    assert continued(loaded, "a", seed=3) != continued(loaded, "a", seed=4)


def test_without_a_prompt_it_begins_as_a_text_begins(loaded):
    first = Counter(continued(loaded, length=1, seed=seed) for seed in range(20))
    assert first.most_common(1)[0][0] == "t"


def test_what_was_read_before_decides(loaded):
    """After "m" always came "a", after "c" too, and the prompt is all there is to know that."""
    assert continued(loaded, "on the m", length=2, temperature=0.0) == "on the mat"
    assert continued(loaded, "and the c", length=2, temperature=0.0) == "and the cat"


def test_a_low_temperature_takes_the_likeliest(loaded):
    cold = continued(loaded, "s", length=10, temperature=1e-6, seed=1)
    assert cold == continued(loaded, "s", length=10, temperature=0.0, seed=2)


def test_a_high_temperature_knows_no_difference(loaded):
    drawn = Counter(continued(loaded, length=4000, temperature=1000.0))
    shares = [drawn[c] / 4000 for c in set(WORDS)]
    assert max(shares) < 2 * min(shares)


def test_pieces_of_words_are_cut_to_the_length(tmp_path):
    pytest.importorskip("tokenizers")
    said = continued(made(Ngram(order=2, tokens="bpe", vocabulary=30), tmp_path), "the", length=31)
    assert len(said) == 34
    assert "\N{REPLACEMENT CHARACTER}" not in said


@pytest.mark.parametrize(
    "wrong",
    [{"length": 0}, {"length": 10**7}, {"temperature": -0.1}, {"temperature": float("nan")}],
)
def test_numbers_out_of_range_are_refused(loaded, wrong):
    with pytest.raises(ConfigError, match=f"--{next(iter(wrong))}"):
        continued(loaded, "a", **wrong)


def test_a_character_that_was_never_read_is_refused(loaded):
    with pytest.raises(ConfigError, match=r'--prompt has characters .*"é"'):
        continued(loaded, "café")


def test_chance_is_the_callers_again(loaded):
    before = torch.get_rng_state()
    continued(loaded, "the")
    assert torch.equal(torch.get_rng_state(), before)
