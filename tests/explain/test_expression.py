"""Formulas become graphs: the slides' names, sharing, refusals that say where, and no code run."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim.core.errors import ConfigError, NumericError
from gradatim.explain.derivatives.expression import MOST_NODES, default_values, parse

SLIDE = "sigmoid(w3*sigmoid(w2*sigmoid(w1*x)))"


def steps(text: str) -> list[str]:
    graph = parse(text)
    return [f"{graph.nodes[k].name} = {graph.nodes[k].text}" for k in graph.steps()]


def test_names_the_nodes_like_the_slides():
    assert steps(SLIDE) == [
        "u1 = w1*x",
        "u2 = sigmoid(u1)",
        "u3 = w2*u2",
        "u4 = sigmoid(u3)",
        "u5 = w3*u4",
        "ŷ = sigmoid(u5)",
    ]
    assert parse(SLIDE).names == ("w1", "w2", "w3", "x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x - 2*y**2/4 + -3", 1.5 - 2 * 0.25 / 4 - 3),
        ("-x**2", -(1.5**2)),
        ("2**-1*x", 0.75),
        ("2**3**x", 2 ** (3**1.5)),
        ("σ(x) + softplus(y) - relu(-x)", 1 / (1 + math.exp(-1.5)) + math.log1p(math.exp(0.5))),
        ("abs(-x)*square(y) + sqrt(x)", 1.5 * 0.25 + math.sqrt(1.5)),
        ("sin(pi*x) + cos(y) + tanh(x)", -1 + math.cos(0.5) + math.tanh(1.5)),
        ("exp(log(x)) + +y", 2.0),
    ],
)
def test_computes_what_python_would(text, value):
    graph = parse(text)
    values = graph.values({"x": 1.5, "y": 0.5})
    assert values[-1] == pytest.approx(value, rel=1e-14, abs=1e-15)


def test_equal_parts_are_one_node():
    assert steps("tanh(w*x) + tanh(w*x)") == ["u1 = w*x", "u2 = tanh(u1)", "ŷ = u2 + u2"]
    assert parse("tanh(w*x) + tanh(w*x)").unfolded() == 9


def test_names_are_in_the_order_people_count():
    assert parse("w10*w9*w2*b").names == ("b", "w2", "w9", "w10")


def test_default_values_are_positive_and_distinct():
    assert default_values(("a", "b", "c")) == {"a": 0.5, "b": 0.6, "c": 0.7}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("sigmod(w*x)", 1, 'did you mean "sigmoid"?'),
        ("2*sin(w*x", 6, "never closed"),
        ("w*x)", 4, "unmatched"),
        ("w*x +", 6, "missing"),
        ("w x", 3, "missing"),
        ("w^2", 2, "**"),
        ("__import__('os')", 12, "no place"),
        ("__import__(x)", 1, "no function"),
        ("x.real", 1, "are known"),
        ("(1).__class__*x", 1, "are known"),
        ("x if y else z", 1, "are known"),
        ("x and y", 1, "are known"),
        ("sin(*x)", 5, "are known"),
        ("sin(x, y)", 1, "one argument"),
        ("x(y)(z)", 1, "can be called"),
        ("sin*x", 1, "is a function"),
        ("True*x", 1, "no real number"),
        ("2j*x", 1, "no real number"),
        ("1e999*x", 1, "beyond"),
        ("9" * 400 + "*x", 1, "beyond"),
        ("u1*x", 1, "intermediate"),
        ("_x*2", 1, "no name"),
        ("w" * 30 + "*2", 1, "no name"),
        ("[x]*2", 1, "no place"),
        ("x := 2", 3, "no place"),
        ("σ*σ", 1, "is a function"),
        ("σ(w)*cos", 6, "is a function"),
    ],
)
def test_refuses_and_says_where(text, place, words):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    message = str(caught.value)
    assert f"at letter {place}:" in message
    assert words in message
    assert len(message.splitlines()) <= 3
    assert len(message) < 400


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("x", "computes nothing"),
        ("2*3", "no names"),
        ("x" + "+x" * 3000, "at most"),
        ("+".join(f"x{k}" for k in range(MOST_NODES)), "more than"),
        ("(" * 500 + "x" + ")" * 500, "parentheses"),
        ("-" * 1000 + "x", "inside one another"),
        ("+" * 1000 + "x*2", "inside one another"),
    ],
)
def test_refuses_what_is_no_formula_or_too_long(text, words):
    with pytest.raises(ConfigError, match=words):
        parse(text)


@given(st.text(alphabet="wx12+-*/()., .sinlog_σ^'\"[]{}=:@é\n", max_size=40))
def test_any_text_is_a_graph_or_a_refusal(text):
    graph, said = None, ""
    try:
        graph = parse(text)
    except ConfigError as error:
        said = str(error)
    assert graph.names if graph else 1 <= len(said.splitlines()) <= 3


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("1 + log(x - y)", "u2 = log"),
        ("x/(y - 2)", "ŷ = x/u1"),
        ("sqrt(x - y)*2", "u2 = sqrt"),
        ("(x - y)**0.5", "ŷ = u1"),
        ("exp(exp(exp(y*9)))", "u3 = exp"),
        ("x**9*1e308*1e308", "ŷ = u2"),
    ],
)
def test_a_value_that_does_not_exist_names_its_node(text, node):
    with pytest.raises(NumericError) as caught:
        parse(text).values({"x": 1.0, "y": 2.0})
    assert str(caught.value).startswith(node)
    assert len(str(caught.value).splitlines()) == 2
