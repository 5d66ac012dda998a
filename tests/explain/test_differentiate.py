"""Five gradients of one formula: against the slides, against fifty digits, against each other."""

import math

import mpmath
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gradatim.core.errors import NumericError
from gradatim.explain.derivatives.differentiate import (
    backward,
    central_differences,
    chain_rule,
    error_of,
    exact_gradient,
    forward_mode,
    reverse_mode,
    tensor_function,
)
from gradatim.explain.derivatives.expression import default_values, parse
from gradatim.explain.derivatives.graph import Graph
from gradatim.explain.derivatives.growth import growth, two_layers
from gradatim.explain.derivatives.operations import FUNCTIONS, OPERATIONS
from gradatim.explain.derivatives.products import path_count, products
from gradatim.explain.derivatives.symbolic import formulas, symbolic

SLIDE = "sigmoid(w3*sigmoid(w2*sigmoid(w1*x)))"
POINT = {"w1": 0.5, "w2": -1.2, "w3": 0.8, "x": 2.0}
# Reordered sums and products of a few dozen factors: some hundred units in the last place.
ROUNDING = 1e-13


def five(graph: Graph, at: dict[str, float]) -> list:
    f = tensor_function(graph)
    w = torch.tensor([at[name] for name in graph.names], dtype=torch.float64)
    return [
        chain_rule(graph, at),
        central_differences(f, w),
        symbolic(formulas(graph), at),
        forward_mode(f, w),
        reverse_mode(f, w),
    ]


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_the_product_that_the_slides_print():
    """dy/dw1 = s'(u5) w3 s'(u3) w2 s'(u1) x, with s' = s (1 - s)."""
    u1 = POINT["w1"] * POINT["x"]
    u3 = POINT["w2"] * sigma(u1)
    u5 = POINT["w3"] * sigma(u3)
    slope = [sigma(u) * (1 - sigma(u)) for u in (u5, u3, u1)]
    factors = (slope[0], POINT["w3"], slope[1], POINT["w2"], slope[2], POINT["x"])
    graph = parse(SLIDE)
    (product,) = products(graph, backward(graph, graph.values(POINT)), "w1")
    names = ("dŷ/du5", "du5/du4", "du4/du3", "du3/du2", "du2/du1", "du1/dw1")
    assert product.factors == names
    assert product.values == pytest.approx(factors, rel=1e-15)
    for gradient in five(graph, POINT):
        assert gradient.values[0] == pytest.approx(math.prod(factors), rel=1e-8)


def test_what_each_method_costs():
    """Central differences 2 a parameter, forward mode 1 a parameter, the others 1 in all."""
    found = {g.method: (g.evaluations, g.backward) for g in five(parse(SLIDE), POINT)}
    assert found == {
        "chain rule": (1, 1),
        "central differences": (8, 0),
        "symbolic": (1, 0),
        "forward mode": (4, 0),
        "reverse mode": (1, 1),
    }


def test_evaluations_are_counted_as_they_happen():
    calls = 0

    def f(w: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return w.square().sum()

    w = torch.arange(5, dtype=torch.float64)
    for method in (central_differences, forward_mode, reverse_mode):
        calls = 0
        assert method(f, w).evaluations == calls


@pytest.mark.parametrize("name", sorted(OPERATIONS))
@pytest.mark.parametrize("x", [0.3, 1.7, -0.9])
def test_local_derivatives_against_differences_in_fifty_digits(name, x):
    """The formulas at the edges, by a difference whose error is 1e-20."""
    operation = OPERATIONS[name]
    if x < 0 and name in ("log", "sqrt", "power"):
        x = -x
    arguments = [mpmath.mpf(x), mpmath.mpf(1.3)][: len(operation.slopes)]
    m = mpmath.mp.clone()
    m.dps = 50
    step = m.mpf(10) ** -15
    value = operation.compute(math, *map(float, arguments))
    for k, slope in enumerate(operation.slopes):
        ends = []
        for sign in (1, -1):
            moved = [m.mpf(a) for a in arguments]
            moved[k] += sign * step
            ends.append(operation.compute(m, *moved))
        found = slope.compute(math, value, *map(float, arguments))
        assert found == pytest.approx(float((ends[0] - ends[1]) / (2 * step)), rel=1e-12)


@st.composite
def formulas_in_range(draw) -> str:
    """Formulas whose pieces keep every function inside its domain."""
    leaf = st.sampled_from(["w1", "w2", "w3", "0.5", "2"])
    smooth = ("sigmoid", "tanh", "softplus", "sin", "cos", "square")

    def extend(inner):
        pair = st.tuples(inner, inner)
        return st.one_of(
            st.tuples(st.sampled_from(smooth), inner).map(lambda p: f"{p[0]}({p[1]})"),
            pair.map(lambda p: f"({p[0]} + {p[1]})"),
            pair.map(lambda p: f"({p[0]} - {p[1]})"),
            pair.map(lambda p: f"({p[0]})*({p[1]})"),
            pair.map(lambda p: f"({p[0]})/(2 + cos({p[1]}))"),
            inner.map(lambda p: f"log(1 + square({p}))"),
            inner.map(lambda p: f"sqrt(1 + ({p})**2)"),
            pair.map(lambda p: f"(1 + sigmoid({p[0]}))**tanh({p[1]})"),
            inner.map(lambda p: f"exp(-softplus({p}))"),
        )

    inner = draw(st.recursive(leaf, extend, max_leaves=6))
    return f"tanh({inner}) + w1*0.1"


@given(formulas_in_range(), st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3))
@settings(max_examples=60)
def test_all_five_agree(text, numbers):
    """Rounding for four of them; h^2 f''' and eps / h, some 1e-10 each, for the differences."""
    graph = parse(text)
    at = {name: numbers[int(name[1]) - 1] for name in graph.names}
    exact = exact_gradient(graph, at)
    # A gradient near 0 has no relative error: rounding is that of the function's own scale.
    scale = max(1.0, max(map(abs, exact)))
    for gradient in five(graph, at):
        distance = max(abs(e - v) for e, v in zip(exact, gradient.values, strict=True))
        limit = 2e-7 if gradient.method == "central differences" else ROUNDING
        assert float(distance / scale) < limit, gradient.method


@given(formulas_in_range(), st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3))
@settings(max_examples=20)
def test_fifty_digits_are_right(text, numbers):
    """The reference itself, by differences of the values in fifty digits."""
    graph = parse(text)
    at = {name: numbers[int(name[1]) - 1] for name in graph.names}
    assume(len(at) > 0)
    m = mpmath.mp.clone()
    m.dps = 50

    def value(point):
        values = []
        for node in graph.nodes:
            if node.operation in OPERATIONS:
                arguments = [values[p] for p in node.parents]
                values.append(OPERATIONS[node.operation].compute(m, *arguments))
            else:
                values.append(point[node.name] if node.operation == "input" else m.mpf(node.number))
        return values[-1]

    step = m.mpf(10) ** -15
    for name, exact in zip(graph.names, exact_gradient(graph, at), strict=True):
        point = {key: m.mpf(number) for key, number in at.items()}
        up = value(point | {name: point[name] + step})
        down = value(point | {name: point[name] - step})
        # The third derivative of six nested functions, times h^2 / 6
        assert abs((up - down) / (2 * step) - exact) < 1e-20


def test_several_paths_are_added():
    graph = parse("w*x + sin(w)*w")
    found = backward(graph, graph.values({"w": 0.7, "x": 2.0}))
    written = products(graph, found, "w", most=9)
    assert len(written) == path_count(graph, "w") == 3
    total = sum(math.prod(product.values) for product in written)
    assert total == pytest.approx(2.0 + math.sin(0.7) + 0.7 * math.cos(0.7), rel=1e-14)
    assert len(products(graph, found, "w", most=2)) == 2


@pytest.mark.parametrize("text", ["relu(w)", "abs(w)"])
def test_at_a_bend_all_take_the_derivative_zero_but_the_differences_of_relu(text):
    graph = parse(text)
    by_method = {g.method: g.values[0] for g in five(graph, {"w": 0.0})}
    middle = by_method.pop("central differences")
    assert set(by_method.values()) == {0.0}
    assert middle == pytest.approx(0.5 if text == "relu(w)" else 0.0)


@pytest.mark.parametrize(
    ("text", "at"), [("sqrt(w)", {"w": 0.0}), ("(0 - w)**x", {"w": 2.0, "x": 3.0})]
)
def test_a_derivative_that_does_not_exist_names_its_edge(text, at):
    with pytest.raises(NumericError, match="dŷ/d"):
        chain_rule(parse(text), at)


def test_differences_at_the_border_of_a_domain_say_so():
    graph = parse("log(w)")
    w = torch.tensor([1e-9], dtype=torch.float64)
    with pytest.raises(NumericError, match="a step beside"):
        central_differences(tensor_function(graph), w)


def test_numbers_with_huge_fractions_end():
    """As a fraction 1/9 to the power 9**8 would have forty million digits."""
    graph = parse("(1/9)**(9**8)*w + w")
    assert symbolic(formulas(graph), {"w": 2.0}).values == (1.0,)


def test_a_symbolic_overflow_is_told():
    with pytest.raises(NumericError, match="SymPy"):
        symbolic(formulas(parse("(2*w)**43046721")), {"w": 0.3})


def test_formulas_are_the_textbook_ones():
    found = formulas(parse("tanh(w)*x + relu(w)"))
    assert found.texts() == ["x*(1 - tanh(w)**2) + step(w)", "tanh(w)"]


def test_formulas_swell_faster_than_the_square_of_the_depth():
    def written(depth: int) -> int:
        text = "x"
        for k in range(depth):
            text = f"sigmoid(w{k}*{text})"
        return formulas(parse(text)).operations

    few, many = written(4), written(8)
    assert many > 2**2 * few


def test_the_network_is_the_same_function_twice():
    for size in (4, 16, 64):
        network = two_layers(size)
        at_nodes = network.graph.values(network.at)[-1]
        assert float(network.function(network.point)) == pytest.approx(at_nodes, rel=1e-14)


def test_growth_counts_and_errors():
    costs = list(growth((4, 16)))
    counts = {(c.method, c.parameters): c.evaluations for c in costs}
    for size in (4, 16):
        assert counts["central differences", size] == 2 * size
        assert counts["forward mode", size] == size
        assert counts["reverse mode", size] == counts["chain rule", size] == 1
    for cost in costs:
        assert cost.error < (1e-8 if cost.method == "central differences" else ROUNDING)
    swell = [c.operations for c in costs if c.operations is not None]
    assert swell[1] > 4 * swell[0]


def test_error_is_relative_and_absolute_at_zero():
    assert error_of([1.1, 0.0], [1.0, 0.5]) == pytest.approx(0.5)
    assert error_of([0.25], [0.0]) == 0.25


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_in_all_five_ways(name):
    graph = parse(f"{name}(a)*b")
    at = default_values(graph.names)
    exact = exact_gradient(graph, at)
    for gradient in five(graph, at):
        limit = 1e-8 if gradient.method == "central differences" else ROUNDING
        assert error_of(gradient.values, exact) < limit, gradient.method
