"""The course on gradients and signals: chain rule, vanishing gradients, He's derivation.

He's derivation is followed over every network there is: weights of +s or -s have the moments that
it asks for (mean 0, symmetric, independent), and ten of them make 1024 networks, no sample of them.
"""

import math
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gradatim.explain.derivatives.differentiate import backward, chain_rule
from gradatim.explain.derivatives.expression import parse
from gradatim.explain.derivatives.operations import FUNCTIONS
from gradatim.explain.moments import Link, moments, predicted

SIGMOIDS = "sigmoid(w3*sigmoid(w2*sigmoid(w1*x)))"
RELUS = "relu(w3*relu(w2*relu(w1*x)))"
unit = st.floats(-1, 1)


def test_course_000_chain_rule_is_a_row_times_a_matrix():
    """h = f(g1, g2) = g1 g2 with g1 = a b, g2 = a + b: (g2, g1) times (b a; 1 1)."""
    graph, at = parse("(a*b)*(a + b)"), {"a": 2.0, "b": 3.0}
    adjoints = backward(graph, graph.values(at)).adjoints
    f_by_g = {n.text: slope for n, slope in zip(graph.nodes, adjoints, strict=True) if n.parents}
    assert (f_by_g["a*b"], f_by_g["a + b"]) == (5, 6)
    assert chain_rule(graph, at).values == (5 * 3 + 6 * 1, 5 * 2 + 6 * 1)


# Products below the smallest normal number round by their order; hypothesis finds such.
LAST = 100 * math.ulp(0.0)


@given(st.floats(-30, 30))
def test_course_000_sigmoid_in_both_forms_and_its_derivative(x):
    sigmoid = FUNCTIONS["sigmoid"]
    value = sigmoid.compute(math, x)
    assert value == pytest.approx(1 / (1 + math.exp(-x)), rel=1e-14)
    assert value == pytest.approx(math.exp(x) / (math.exp(x) + 1), rel=1e-14)
    slope = sigmoid.slopes[0].compute(math, value, x)
    assert slope == value * (1 - value) <= 1 / 4
    assert sigmoid.slopes[0].compute(math, 0.5, 0.0) == 1 / 4


@given(unit, unit, unit, st.floats(-5, 5))
def test_course_000_gradients_through_sigmoids_are_bounded_by_absolute_values(w1, w2, w3, x):
    gradient = chain_rule(parse(SIGMOIDS), {"w1": w1, "w2": w2, "w3": w3, "x": x})
    assert abs(gradient.values[0]) <= abs(w3) * abs(w2) * abs(x) / 4**3 + LAST


def test_course_000_printed_bounds_without_absolute_values_do_not_bound_the_product():
    """w3 = w2 = -1 are both <= 1 and change nothing; x = -5 turns the sign and not the size."""
    at = {"w1": 0.1, "w2": -1.0, "w3": -1.0, "x": -5.0}
    assert chain_rule(parse(SIGMOIDS), at).values[0] < -0.05


@given(unit, unit, unit, st.floats(-5, 5))
def test_course_000_relu_passes_all_of_a_gradient_or_nothing(w1, w2, w3, x):
    gradient = chain_rule(parse(RELUS), {"w1": w1, "w2": w2, "w3": w3, "x": x})
    assert gradient.values[0] in (0.0, pytest.approx(w3 * w2 * x, rel=1e-12, abs=LAST))


# --- He -------------------------------------------------------------------------------------------

X = torch.tensor([1.0, 3.0], dtype=torch.float64)
SCALES = (0.5, 0.75, 2.0)


def every_network(scales=SCALES) -> list[torch.Tensor]:
    """g of the three layers, 2 -> 2 -> 2 -> 1 units with ReLU, for all signs of the weights."""
    signs = torch.tensor(list(product((-1.0, 1.0), repeat=10)), dtype=torch.float64)
    weights = [
        scale * part.view(-1, units, 2)
        for scale, part, units in zip(scales, signs.split([4, 4, 2], dim=1), (2, 2, 1), strict=True)
    ]
    signals, a = [], X.expand(len(signs), 2)
    for weight in weights:
        signals.append((weight @ a[:, :, None])[:, :, 0])
        a = signals[-1].relu()
    return signals


def variances(scales=SCALES) -> list[float]:
    return [g.var(0, correction=0).mean().item() for g in every_network(scales)]


def links(scales=SCALES) -> list[Link]:
    """M_l = 2 and var(w) = s^2 in every layer."""
    bends = (nn.ReLU(), nn.ReLU(), None)
    return [Link(2 * s * s, 0.0, bend) for s, bend in zip(scales, bends, strict=True)]


def second(x: torch.Tensor) -> float:
    return x.square().mean().item()


def test_course_000_equation_48_is_the_second_moment_since_the_mean_is_0():
    for g in every_network():
        assert g.mean(0).abs().max() < 1e-12
        torch.testing.assert_close(g.var(0, correction=0), g.square().mean(0))


def test_course_000_equations_49_and_50_variance_of_a_sum_of_products():
    """M var(w a) = M var(w) E[a^2], for a of the layer before; the first has x for a."""
    g1, g2, g3 = every_network()
    reads = [X.expand(1024, 2), g1.relu(), g2.relu()]
    for g, a, scale in zip((g1, g2, g3), reads, SCALES, strict=True):
        expected = 2 * scale**2 * second(a)
        assert g.var(0, correction=0).mean().item() == pytest.approx(expected, rel=1e-12)


def test_course_000_equation_51_relu_halves_the_second_moment():
    for g in every_network()[:2]:
        torch.testing.assert_close(g.relu().square().mean(0), g.var(0, correction=0) / 2)
    assert moments(nn.ReLU(), 3.0)[0] == pytest.approx(1.5, rel=1e-9)


def test_course_000_equation_52_from_layer_to_layer():
    before, middle, after = variances()
    assert middle == pytest.approx(before * 2 / 2 * SCALES[1] ** 2, rel=1e-12)
    assert after == pytest.approx(middle * 2 / 2 * SCALES[2] ** 2, rel=1e-12)


def test_course_000_equation_53_starts_at_the_variance_of_the_first_layer():
    """var(g1) times the product is right; var(x) = 1 times the product is 2.5 times too small."""
    first, _, last = variances()
    factor = math.prod(2 / 2 * s**2 for s in SCALES[1:])
    assert last == pytest.approx(first * factor, rel=1e-12)
    printed = X.var(correction=0).item() * factor
    assert last == pytest.approx(2.5 * printed, rel=1e-12)
    # Quadrature of a bend at 0: nine digits.
    assert predicted(links(), second(X))[0] == pytest.approx(variances(), rel=1e-9)


def test_course_000_equation_54_keeps_the_variance_when_the_first_layer_has_1_over_m():
    """2/M = 1 where a ReLU comes before, 1/M = 1/2 for the first layer; 2/M there doubles all."""
    kept, doubled = (0.5**0.5, 1.0, 1.0), (1.0, 1.0, 1.0)
    assert variances(kept) == pytest.approx([second(X)] * 3, rel=1e-12)
    assert variances(doubled) == pytest.approx([2 * second(X)] * 3, rel=1e-12)
    assert predicted(links(kept), second(X))[0] == pytest.approx([second(X)] * 3, rel=1e-9)
