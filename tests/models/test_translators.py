"""The networks that translate, fitted by the product: what they keep, learn and draw."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from gradatim.cli.main import main
from gradatim.core.errors import ConfigError
from gradatim.core.rung import Model
from gradatim.core.samples import Samples
from gradatim.core.signature import Signature, Text, Translation
from gradatim.explain.alignments import alignment
from gradatim.models import RUNGS
from gradatim.ops.text.characters import coded, written
from gradatim.report.figures.alignment import alignment_figure
from gradatim.runs.model_folder import load_model, save_model
from gradatim.session.attend import attend
from gradatim.session.objects import Work, task_for, work_for
from gradatim.train.fitting import Fitting

NAMES = ("seq2seq", "attention_seq2seq", "translator")
LOOKING = NAMES[1:]
WORDS = {"un": "a", "chat": "cat", "chien": "dog", "noir": "black", "dort": "sleeps", "ici": "here"}
"""French to English; the adjective changes its place."""


def sentences() -> tuple[list[str], list[str]]:
    french, english = [], []
    for noun in ("chat", "chien"):
        for black in (False, True):
            for rest in (["dort"], ["dort", "ici"], ["ici"], ["ici", "dort"]):
                french.append(" ".join(["un", noun, *(["noir"] if black else []), *rest]))
                said = ["a", *(["black"] if black else []), WORDS[noun], *(WORDS[w] for w in rest)]
                english.append(" ".join(said))
    return french, english


def data() -> tuple[Samples, Signature]:
    french, english = sentences()
    alphabets = ["".join(sorted(set("".join(side)))) for side in (french, english)]
    inputs, targets = (coded(s, a) for s, a in zip((french, english), alphabets, strict=True))
    signature = Signature(
        input=Text(length=inputs.shape[1], alphabet=alphabets[0], language="fr"),
        output=Translation(length=targets.shape[1], alphabet=alphabets[1], language="en"),
    )
    return Samples(inputs, targets), signature


def work(name: str, **changes: object) -> Work:
    samples, signature = data()
    rung = RUNGS[name].of_size("tiny").model_copy(update={"width": 32, "vocabulary": 40})
    made = work_for(rung, task_for(signature), signature, len(samples), seed=0)
    fast = {"epochs": 100, "batch": 8, "optimizer": {"lr": 5e-3}, "loss": {"label_smoothing": 0.0}}
    recipe = type(made.recipe).parse({**made.recipe.model_dump(), **fast, **changes})
    return Work(made.rung, recipe, made.task, made.signature)


def fitted(name: str, samples: Samples, **changes: object) -> Model:
    asked = work(name, **changes)
    fitting = Fitting(asked.rung, asked.task, samples, asked.signature, asked.recipe)
    list(fitting)
    return fitting.model


@pytest.fixture(scope="module", params=NAMES)
def learnt(request) -> tuple[str, Model]:
    """A rung that knows the sentences by heart; nobody may change it."""
    return request.param, fitted(request.param, data()[0])


def test_learns_sentences_by_heart(learnt):
    """Word order included: the adjective stands on the other side of its noun."""
    samples, signature = data()
    said = written(learnt[1](samples.inputs), signature.output.alphabet)
    right = sum(a == b for a, b in zip(said, sentences()[1], strict=True))
    assert right == len(said)


def test_saved_and_loaded_it_writes_the_same(learnt, tmp_path: Path):
    """The vocabularies are in the folder, and the empty model has their sizes."""
    name, model = learnt
    samples, signature = data()
    rung = work(name).rung
    save_model(tmp_path, model, rung, signature, "translate", "bleu", "a card")
    again, card = load_model(tmp_path)
    assert again(samples.inputs).equal(model(samples.inputs))
    assert set(card.extents) == {"source_bytes", "target_bytes"}
    assert json.loads((tmp_path / "model.json").read_text())["extents"] == dict(card.extents)


def test_the_vocabulary_is_that_of_the_training_rows_alone():
    """A word of other rows is not known: neither its pieces nor its letters."""
    samples, _ = data()
    cats = samples.take(torch.arange(8))
    model = fitted("translator", cats, epochs=1)
    assert "".join(model.preprocess.pieces()).count("chien") == 0
    assert "".join(model.output.tokens.pieces()).count("dog") == 0
    whole = fitted("translator", samples, epochs=1)
    assert "chien" in "".join(whole.preprocess.pieces())


@pytest.mark.parametrize("name", NAMES)
def test_equal_seeds_give_equal_bytes(name: str):
    def state(seed: int) -> bytes:
        model = fitted(name, data()[0], epochs=2, seed=seed)
        return save({k: v.contiguous() for k, v in model.state_dict().items()})

    assert state(3) == state(3)
    assert state(3) != state(4)


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_that_was_cut_off_ends_with_the_same_bits(name: str):
    asked = work(name, epochs=4)
    make = lambda: Fitting(asked.rung, asked.task, data()[0], asked.signature, asked.recipe)  # noqa: E731
    whole, cut = make(), make()
    list(whole)
    next(iter(cut))
    state, resumed = cut.state_dict(), make()
    resumed.load_state_dict(state)
    list(resumed)
    for key, tensor in whole.model.state_dict().items():
        assert resumed.model.state_dict()[key].equal(tensor), key


def test_characters_are_tokens_too():
    samples, signature = data()
    rung = RUNGS["translator"].of_size("tiny").model_copy(update={"tokens": "characters"})
    asked = work("translator", epochs=2)
    fitting = Fitting(rung, asked.task, samples, signature, asked.recipe)
    list(fitting)
    assert fitting.model.extents == {}
    assert len(fitting.model(samples.inputs)) == len(samples)


def test_words_that_were_never_seen_do_not_stop_it(learnt):
    """Letters outside of the alphabet, an empty sentence, and one longer than all others."""
    samples, signature = data()
    asked = coded(["un éléphant", "", "chat " * 30], signature.input.alphabet)
    assert len(learnt[1](asked)) == 3
    assert len(learnt[1](samples.inputs[:0])) == 0


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigError, match="multiple of the heads"):
        RUNGS["translator"].parse({"width": 30, "heads": 4})


def test_attention_finds_the_words_it_translates():
    """Of a fitted network with attention: cat looks at chat, dog at chien, most of all words."""
    model = fitted("attention_seq2seq", data()[0])
    signature = data()[1]
    for french, english in (("chat", "cat"), ("chien", "dog")):
        found = alignment(model, signature, f"un {french} noir dort")
        row = found.weights[found.target.index(english)]
        assert found.source[max(range(len(row)), key=row.__getitem__)] in (french, "noir")


@pytest.mark.parametrize("name", LOOKING)
def test_a_map_has_words_and_shares(name: str):
    model, signature = fitted(name, data()[0], epochs=2), data()[1]
    found = alignment(model, signature, "un chat noir", "a black cat")
    assert found.source == ("un", "chat", "noir")
    assert found.target == ("a", "black", "cat")
    assert [round(sum(row), 5) for row in found.weights] == [1.0, 1.0, 1.0]


def test_a_network_without_attention_has_no_map():
    model, signature = fitted("seq2seq", data()[0], epochs=1), data()[1]
    with pytest.raises(ConfigError, match="does not look"):
        alignment(model, signature, "un chat")


def test_attend_writes_a_page_and_prints_what_is_looked_at(tmp_path: Path, capsys):
    name, (samples, signature) = "translator", data()
    model = fitted(name, samples)
    save_model(tmp_path / "run", model, work(name).rung, signature, "translate", "bleu", "a card")
    page = tmp_path / "map.html"
    asked = [str(tmp_path / "run"), "un chat <b>noir</b> dort"]
    assert main(["attend", *asked, "--out", str(page)]) == 0
    assert "Page:" in capsys.readouterr().out
    text = page.read_text()
    HTMLParser().feed(text)
    assert "<b>noir" not in text
    facts = attend(tmp_path / "run", "un chat", translation="a cat", out=page).facts
    assert facts["shown"]
    assert facts["target"] == ("a", "cat")


def test_attend_refuses_nothing_to_translate(tmp_path: Path, capsys):
    name, (samples, signature) = "translator", data()
    model = fitted(name, samples, epochs=1)
    save_model(tmp_path / "run", model, work(name).rung, signature, "translate", "bleu", "a card")
    assert main(["attend", str(tmp_path / "run"), ""]) == 3
    assert "empty" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_the_figure_escapes_words_and_says_every_weight():
    figure = str(alignment_figure(["<i>", "b"], ["c"], [[0.75, 0.25]]))
    assert "<i>" not in figure
    assert "c looks at b: 25.0%" in figure
