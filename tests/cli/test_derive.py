"""`gradatim derive`: formulas and rungs on stdout and on a page; bad input in three lines."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from cyclopts import App
from torch import nn

from gradatim.cli.derive import derive
from gradatim.core.errors import ConfigError, GradatimError, NumericError
from gradatim.core.rung import Model
from gradatim.explain.derivatives.directions import directions
from gradatim.explain.derivatives.network import example

SLIDE = "sigmoid(w3*sigmoid(w2*sigmoid(w1*x)))"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder; return what it printed."""
    monkeypatch.chdir(tmp_path)
    app = App(result_action="return_value")
    app.default(derive)

    def call(*words: str) -> str:
        app(list(words), exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return call


def test_a_formula_with_all_its_values(run, tmp_path):
    text = run(SLIDE, "--at", "w1=0.5,w2=-1.2", "--at", "w3=0.8", "--at", "x=2", "--quick")
    assert "u1 = w1*x" in text
    assert "dŷ/dw1 = dŷ/du5 du5/du4 du4/du3 du3/du2 du2/du1 du1/dw1 = " in text
    assert "not given" not in text
    page = Path(text.rpartition("Page: ")[2].strip())
    assert page.parent == Path("runs")
    assert "<svg" in (tmp_path / page).read_text(encoding="utf-8")


def test_values_that_were_not_given_are_stated(run):
    facts = json.loads(run("w*x", "--at", "x=2", "--quick", "--json"))
    assert facts["at"] == {"w": 0.5, "x": 2.0}
    assert "w = 0.5 was not given" in facts["notes"]
    assert facts["gradient"] == {"w": 2.0, "x": 0.5}
    assert [m["method"] for m in facts["methods"]] == [
        "chain rule",
        "central differences",
        "symbolic",
        "forward mode",
        "reverse mode",
    ]


def test_growth_is_measured_unless_quick(run, monkeypatch):
    from gradatim.explain.derivatives.growth import growth

    monkeypatch.setattr("gradatim.session.derive.growth", lambda: growth((4, 16)))
    facts = json.loads(run("w*x", "--json", "--out", "page.html"))
    assert {cost["parameters"] for cost in facts["growth"]} == {4, 16}
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 5  # mast, graph, three lines
    assert "Content-Security-Policy" in page
    assert "style=" not in page


def test_a_long_formula_has_no_symbolic_derivative_and_says_so(run):
    text = "+".join(f"w{k}*x" for k in range(40))
    facts = json.loads(run(text, "--quick", "--json"))
    assert facts["symbolic"] is None
    assert any("SymPy" in note for note in facts["notes"])
    assert len(facts["methods"]) == 4


def test_the_same_question_gives_the_same_graph(run):
    first, second = (json.loads(run(SLIDE, "--quick", "--json")) for _ in range(2))
    for key in ("nodes", "edges", "products", "gradient", "at", "page"):
        assert first[key] == second[key]


@pytest.mark.parametrize("rung", ["mlp", "lenet5", "resnet_small"])
def test_a_rung(run, rung):
    """Forward mode agrees but for rounding; differences also cross the bends of ReLU."""
    facts = json.loads(run(rung, "--json"))
    by_method = {m["method"]: m["error"] for m in facts["methods"]}
    assert by_method["reverse mode"] == 0
    assert by_method["forward mode"] < 1e-12
    assert by_method["central differences"] < 1e-4
    assert all(layer["gradient"] > 0 for layer in facts["layers"])
    assert "<svg" in Path(f"runs/derive-{rung}.html").read_text(encoding="utf-8")


def test_attention_in_forward_mode():
    """torch's fused attention has no forward mode; the plain one is asked instead, for a while."""
    case, before = example("mlp"), torch.backends.mha.get_fastpath_enabled()
    attention = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    tokens = nn.Sequential(nn.Unflatten(1, (2, 4)), attention, nn.Flatten(), nn.Linear(8, 10))
    model = Model(case.model.preprocess, tokens, case.model.output).double().eval()
    for found in directions(replace(case, model=model), 2):
        assert found.forward == pytest.approx(found.reverse, rel=1e-10)
    assert torch.backends.mha.get_fastpath_enabled() == before


def test_shortcuts_are_seen(run):
    layers = json.loads(run("resnet_small", "--json"))["layers"]
    places = {layer["name"]: k for k, layer in enumerate(layers)}
    added = layers[places["4.conv1"]]["parents"]
    assert added == [places["3.downsample"], places["3.bn2"]]


def test_a_rung_on_another_input(run):
    facts = json.loads(run("mlp", "--input", "3x9x7", "--json"))
    assert facts["input"]["shape"] == [3 * 9 * 7]
    assert json.loads(run("mlp", "--input", "5", "--json"))["input"]["shape"] == [5]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sigmod(w*x)"], 'did you mean "sigmoid"?'),
        (["sigmoid(w*x"], "never closed"),
        (["__import__('os')"], "no place"),
        (["__import__(os)"], "no function"),
        (["x.__class__*2"], "are known"),
        (["exec(x)"], "no function"),
        (["lenet"], 'did you mean "lenet5"?'),
        (["svm"], "solved, not trained"),
        (["mlp", "--at", "w=1"], "of a formula"),
        (["mlp", "--size", "tinny"], 'did you mean "tiny"?'),
        (["lenet5", "--input", "8"], "does not take 8"),
        (["lenet5", "--input", "2x8x8"], "1 or 3 channels"),
        (["lenet5", "--input", "1x0x8"], "3x224x224"),
        (["lenet5", "--input", "big"], "3x224x224"),
        (["w*x", "--at", "w"], "name=number"),
        (["w*x", "--at", "w="], "name=number"),
        (["w*x", "--at", "=1"], 'no ""'),
        (["w*x", "--at", "w=one"], "name=number"),
        (["w*x", "--at", ""], "name=number"),
        (["w*x", "--at", "w=nan"], "finite"),
        (["w*x", "--at", "w=1,w=2"], "twice"),
        (["weight*x", "--at", "wieght=1"], 'did you mean "weight"?'),
        (["w*x", "--out", "."], "is a folder"),
    ],
)
def test_bad_input_is_told_in_three_lines(run, words, said):
    with pytest.raises(ConfigError) as caught:
        run(*words, "--quick")
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    assert not list(Path().iterdir())


def test_a_missing_value_of_a_node_is_numeric(run):
    with pytest.raises(NumericError, match="u1 = log") as caught:
        run("log(x)*w", "--at", "x=-1", "--quick")
    assert caught.value.exit_code == 4
    assert isinstance(caught.value, GradatimError)
    assert not list(Path().iterdir())
