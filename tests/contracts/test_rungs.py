"""What every rung promises, whatever it is: refusals, documents, shapes, files, batches."""

import inspect
import re

import numpy as np
import pytest
import torch
from safetensors.torch import save

from gradatim.core.recipe import Recipe
from gradatim.core.refusal import Refusal
from gradatim.core.rung import Model, Solved, Trained
from gradatim.models import RUNGS, rung_named
from gradatim.runs.model_folder import load_model, save_model

from .examples import NAMES, SIGNATURES, accepted, example, fitted, tiny

EXPECTED = [
    *("boosted_trees", "hog_svm", "kernel_ridge", "knn", "lenet5", "linear", "logistic"),
    *("majority", "mean", "mlp", "perceptron", "polynomial", "resnet_small", "ridge", "svm"),
    *("alexnet", "efficientnet_lite0", "googlenet", "lenet5_1998", "mobilenet_v2", "recurrent"),
    *("resnet", "transformer", "vgg", "vit"),
]


def state_bytes(model: Model) -> bytes:
    return save({k: v.contiguous() for k, v in model.state_dict().items()})


def test_the_ladder_has_its_rungs_and_none_is_broken():
    assert set(EXPECTED) <= set(NAMES)
    assert RUNGS.broken() == {}


def test_names_of_published_networks_are_nobody_elses():
    """One that is the name of a file means that file's default settings, published or small."""
    named = [(network, name) for name in NAMES for network in RUNGS[name].published]
    assert len({network for network, _ in named}) == len(named)
    for network, name in named:
        assert network == name or network not in NAMES
        assert rung_named(network).file == name
        assert rung_named(network) == RUNGS[name].of_size(network)


def test_no_two_rungs_for_the_same_data_share_a_place():
    for signature in SIGNATURES.values():
        taken = [tiny(n) for n in NAMES if tiny(n).refusal(signature) is None]
        places = [rung.place for rung in taken]
        assert len(set(places)) == len(places), sorted((r.place, r.name) for r in taken)


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name):
    rung = RUNGS[name]
    text = inspect.getdoc(rung) or ""
    for word in ("Idea:", "Cost:", "Fails when:"):
        assert re.search(rf"^{word} \S", text, re.MULTILINE), f"{name} does not say its {word}"
    assert rung.source.strip()
    assert rung.idea.strip()
    assert "\n" not in rung.idea
    assert all(line.strip() for line in rung.deviations)
    assert isinstance(rung.place, int)
    assert tiny(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_is_either_solved_or_trained(name):
    assert issubclass(RUNGS[name], Solved) != issubclass(RUNGS[name], Trained)


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("name", NAMES)
def test_accepts_or_refuses_with_reason_and_remedy(name, signature):
    answer = tiny(name).refusal(SIGNATURES[signature])
    if answer is not None:
        assert isinstance(answer, Refusal)
        assert answer.reason.strip()
        assert answer.remedy.strip()
        assert "\n" not in str(answer)


@pytest.mark.parametrize("name", NAMES)
def test_a_remedy_names_a_rung_that_takes_the_data(name):
    for signature in SIGNATURES.values():
        answer = tiny(name).refusal(signature)
        if answer is not None:
            named = [n for n in NAMES if re.search(rf"\b{n}\b", answer.remedy)]
            assert named, answer.remedy
            assert any(tiny(n).refusal(signature) is None for n in named), answer.remedy


@pytest.mark.parametrize("name", NAMES)
def test_settings_and_recipe_survive_json(name):
    for size in RUNGS[name].sizes:
        rung = RUNGS[name].of_size(size)
        assert type(rung).parse(rung.model_dump(mode="json")) == rung
        assert type(rung).model_validate_json(rung.model_dump_json()) == rung
    rung = tiny(name)
    for signature in SIGNATURES.values():
        recipe = Recipe()
        if isinstance(rung, Trained) and rung.joins(signature):
            recipe = rung.recipe(1000, signature)
        assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


@pytest.mark.parametrize(("name", "signature"), accepted())
def test_answers_have_the_right_form(name, signature):
    case, model = fitted(name, signature)
    assert not model.training
    inputs, rows = case.samples.inputs, len(case.samples)
    outputs, kind = model(inputs), case.signature.output.kind
    assert torch.isfinite(outputs).all()
    whole = {"translation": (torch.int32,), "synthesis": (torch.uint8,)}.get(kind, ())
    assert outputs.dtype in (torch.float32, torch.float64, *whole)
    if kind == "synthesis":
        assert outputs.shape == inputs.shape
        said = case.task.answers(model, case.samples)
        assert said.shape == tuple(inputs.shape)
        assert said.dtype == inputs.numpy().dtype
        assert len(np.unique(said.reshape(rows, -1), axis=0)) > 1, "each row is drawn anew"
        return
    if kind == "actions":  # at the beginnings of the games
        assert outputs.shape == (rows, case.signature.outputs)
        assert case.task.answers(model, case.samples).shape == (rows,)
        return
    decoded = case.task.decode(outputs)
    assert len(decoded) == rows
    if kind == "category":
        assert outputs.shape == decoded.shape == (rows, case.signature.outputs)
        np.testing.assert_allclose(decoded.sum(1), 1, atol=1e-12)
    elif kind == "quantity":
        assert outputs.shape == (rows, case.signature.outputs)
        assert decoded.shape == (rows,)
    elif kind == "picture":
        assert outputs.shape == decoded.shape == inputs.shape
    elif kind == "mask":
        assert outputs.shape == (rows, case.signature.outputs, *inputs.shape[2:])
        assert decoded.shape == (rows, *inputs.shape[2:])
        assert decoded.max() < case.signature.outputs
    elif kind == "continuation":
        tokens = model.preprocess(inputs)
        assert outputs.shape == decoded.shape == (*tokens.shape, model.preprocess.count)
        np.testing.assert_allclose(np.exp(decoded).sum(2), 1, atol=1e-4)
        assert case.task.answers(model, case.samples).shape == inputs.shape
    elif kind == "density":
        assert outputs.shape == decoded.shape == (rows,)
    elif kind == "translation":
        assert decoded.dtype.kind == "U"
        assert outputs.max() <= len(case.signature.output.alphabet)
        ended = (outputs < 0).int()
        assert (ended.diff(dim=1) >= 0).all(), "nothing stands after the end"
    else:
        assert outputs.shape[2] == 6
        confidence, classes = outputs[..., 4], outputs[..., 5]
        assert (confidence[:, :-1] >= confidence[:, 1:]).all(), "best first"
        assert set(classes.unique().tolist()) <= {-1, *range(case.signature.outputs)}
        real = outputs[classes >= 0]
        assert (real[:, :2] <= real[:, 2:4]).all()
        assert ((real[:, :4] >= 0) & (real[:, :4] <= 1)).all()


@pytest.mark.parametrize(("name", "signature"), accepted())
def test_empty_model_has_the_keys_and_shapes_of_the_fitted_one(name, signature):
    case, model = fitted(name, signature)
    with torch.device("meta"):
        empty = case.rung.build(case.signature, model.extents)

    def shapes(m: Model):
        return {k: (tuple(v.shape), v.dtype) for k, v in m.state_dict().items()}

    assert shapes(empty) == shapes(model)
    assert all(v.is_meta for v in empty.state_dict().values())
    assert all(type(n) is int and n >= 0 for n in model.extents.values())


@pytest.mark.parametrize(("name", "signature"), accepted())
def test_saved_and_loaded_it_answers_with_the_same_bits(name, signature, tmp_path):
    case, model = fitted(name, signature)
    metric = case.task.default_metric(case.samples)
    save_model(tmp_path, model, case.rung, case.signature, case.task.name, metric, "a card")
    again, card = load_model(tmp_path)
    assert torch.equal(again(case.samples.inputs), model(case.samples.inputs))
    assert state_bytes(again) == state_bytes(model)
    assert (card.rung, card.task, card.metric) == (name, case.task.name, metric)
    assert card.signature == case.signature


@pytest.mark.parametrize(("name", "signature"), accepted())
def test_a_row_gets_the_same_answer_alone_and_in_company(name, signature):
    """Sums may be taken in another order: 1e-4 in float32, 1e-9 in float64, of the largest."""
    case, model = fitted(name, signature)
    inputs = case.samples.inputs[:20]
    if case.signature.output.kind == "synthesis":  # no answer belongs to a row
        assert torch.equal(model(inputs), model(inputs.flip(0)))
        return
    if case.signature.output.kind == "translation":  # as wide as the longest, so as strings
        task, whole = case.task, case.samples.take(range(20))
        alone = [task.answers(model, whole.take([row]))[0] for row in range(20)]
        assert task.answers(model, whole).tolist() == alone
        return
    together = model(inputs)
    alone = torch.cat([model(row) for row in inputs.split(1)])
    single = any(t.dtype == torch.float32 for t in model.network.state_dict().values())
    largest = together.abs().max().clamp_min(1).item()
    assert (together - alone).abs().max().item() <= (1e-4 if single else 1e-9) * largest


@pytest.mark.parametrize(("name", "signature"), accepted())
def test_unseen_values_and_missing_cells_get_a_finite_answer(name, signature):
    case, model = fitted(name, signature)
    inputs = case.samples.inputs[:3].clone()
    if inputs.dim() == 4 or case.signature.input.kind == "sound":
        inputs[0], inputs[1] = 0, 255
    elif case.signature.input.kind == "text":
        inputs[0], inputs[1] = len(case.signature.input.alphabet), -1
    elif case.signature.input.kind == "game":
        inputs[0], inputs[1] = 0, 2**63 - 1
    elif case.signature.output.kind == "density":  # rows are whole, and so they are read
        inputs[0], inputs[1] = -1e12, -1.0
    else:
        inputs[0], inputs[1] = float("nan"), -1.0
        inputs[2, :2] = 1e12
    assert torch.isfinite(model(inputs)).all()


@pytest.mark.parametrize(("name", "signature"), accepted())
def test_same_seed_gives_the_same_bytes_whatever_chance_did_before(name, signature):
    case, model = fitted(name, signature)
    torch.manual_seed(71)
    torch.rand(5)
    np.random.seed(5)  # noqa: NPY002  what a careless library would use
    before = torch.get_rng_state()
    fitting = case.fitting()
    list(fitting)
    assert state_bytes(fitting.model) == state_bytes(model)
    assert torch.equal(torch.get_rng_state(), before), "the caller's generator was moved"


@pytest.mark.parametrize("name", [n for n in NAMES if isinstance(tiny(n), Trained)])
def test_another_seed_gives_another_network(name):
    signature = next(s for n, s in accepted() if n == name)
    case, model = fitted(name, signature)
    fitting = case.fitting(seed=1)
    list(fitting)
    assert state_bytes(fitting.model) != state_bytes(model)


@pytest.mark.parametrize("name", NAMES)
def test_default_size_builds_for_all_it_accepts(name):
    """The default size is what users get; its shapes must fit as those of `tiny` do."""
    for signature, meant in SIGNATURES.items():
        rung = RUNGS[name]()
        if isinstance(rung, Trained) and rung.refusal(meant) is None:
            model = rung.build(meant, {}).eval()
            samples = example(name, signature, rows=3).samples
            inputs = samples.inputs
            if meant.output.kind == "translation":  # words have no shapes before they are known
                model.preprocess.fit(inputs)
                model.output.fit(samples.targets)
            said = model(inputs)
            assert len(said) == 3
            of_its_own = ("boxes", "continuation", "density", "synthesis", "translation")
            assert meant.output.kind in of_its_own or said.shape[1] == meant.outputs
