"""A gradient in five ways: chain rule, central differences, SymPy, forward and reverse mode.

`differentiate` takes all five of one formula; `central_differences`, `forward_mode` and
`reverse_mode` take any function of a vector.

Source: course 000, "Chain rule"; Griewank & Walther, Evaluating Derivatives, 2nd ed. 2008,
chapters 3 and 4 (what forward and reverse mode cost).
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath  # SymPy needs it
import torch
from jaxtyping import Float64
from torch import Tensor

from gradatim.core.errors import NumericError
from gradatim.explain.derivatives.graph import Graph
from gradatim.explain.derivatives.operations import OPERATIONS

__all__ = [
    "Backward",
    "Gradient",
    "adjoints",
    "backward",
    "central_differences",
    "chain_rule",
    "error_of",
    "exact_gradient",
    "forward_mode",
    "reverse_mode",
    "tensor_function",
]

Function = Callable[[Float64[Tensor, " parameters"]], Float64[Tensor, ""]]
STEP = torch.finfo(torch.float64).eps ** (1 / 3)
DIGITS = 50

TENSOR_OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "divide": torch.div,
    "power": torch.pow,
    "negative": torch.neg,
    # F.softplus is linear above 20, which is wrong in the ninth digit
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "square": torch.square,
    "abs": torch.abs,
    "sin": torch.sin,
    "cos": torch.cos,
}


@dataclass(frozen=True)
class Gradient:
    """A gradient and its price.

    Args:
        method: which of the five.
        values: one a parameter.
        seconds: of the computation.
        evaluations: how often the function was computed, alone or along with a derivative.
        backward: how often the graph was walked backwards.
    """

    method: str
    values: tuple[float, ...]
    seconds: float
    evaluations: int
    backward: int = 0


@dataclass(frozen=True)
class Backward:
    """What the backward pass leaves behind.

    Args:
        slopes: local derivative of each edge, by (from, to, which argument).
        adjoints: derivative of the result by each node.
    """

    slopes: Mapping[tuple[int, int, int], float]
    adjoints: Sequence[float]


def backward(graph: Graph, values: Sequence[float]) -> Backward:
    """Walk the graph from the result to the inputs with the chain rule.

    d y / d u_i = sum over the nodes k that read u_i of (d y / d u_k) (d u_k / d u_i).

    Raises:
        NumericError: naming the edge whose derivative does not exist.

    Source: course 000, "Chain rule" (the sum over recursive cases), with df/dg_2 where the slide
    prints dh/dg_2.
    """
    slopes = {edge: _slope(graph, edge[1], edge[2], values) for edge in graph.edges()}
    return Backward(slopes, adjoints(graph, slopes, 1.0))


def adjoints(graph: Graph, slopes: Mapping[tuple[int, int, int], Any], one: Any) -> list[Any]:
    """Return the derivative of the result by each node, from the local derivatives."""
    found = [0 * one] * (len(graph.nodes) - 1) + [one]
    for place in reversed(graph.steps()):
        for k, parent in enumerate(graph.nodes[place].parents):
            if (parent, place, k) in slopes:
                found[parent] = found[parent] + found[place] * slopes[parent, place, k]
    return found


def _slope(graph: Graph, place: int, k: int, values: Sequence[float]) -> float:
    node = graph.nodes[place]
    arguments = [values[p] for p in node.parents]
    try:
        slope = OPERATIONS[node.operation].slopes[k].compute(math, values[place], *arguments)
    except (ArithmeticError, ValueError):
        slope = math.nan
    if isinstance(slope, complex) or not math.isfinite(slope):
        parent = graph.nodes[node.parents[k]].name
        raise graph.undefined(node, arguments, f"d{node.name}/d{parent} of {node.text}")
    return float(slope)


def chain_rule(graph: Graph, at: Mapping[str, float]) -> Gradient:
    """Return the gradient by the chain rule, with the formula of every local derivative."""
    begin = time.perf_counter()
    found = backward(graph, graph.values(at)).adjoints
    return _named("chain rule", graph, found, begin)


def _named(method: str, graph: Graph, found: Sequence[float], begin: float) -> Gradient:
    seconds = time.perf_counter() - begin
    by_name = dict(zip((n.name for n in graph.nodes), found, strict=True))
    return Gradient(method, tuple(by_name[n] for n in graph.names), seconds, 1, 1)


def exact_gradient(graph: Graph, at: Mapping[str, float]) -> tuple[Any, ...]:
    """Return the gradient in fifty digits, the same chain rule: what the errors are measured by."""
    m = mpmath.MPContext()
    m.dps = DIGITS
    values: list[Any] = []
    for node in graph.nodes:
        if node.operation in OPERATIONS:
            arguments = [values[p] for p in node.parents]
            values.append(OPERATIONS[node.operation].compute(m, *arguments))
        else:
            values.append(m.mpf(at.get(node.name, node.number)))
    slopes = {}
    for parent, place, k in graph.edges():
        node = graph.nodes[place]
        arguments = [values[p] for p in node.parents]
        slope = OPERATIONS[node.operation].slopes[k].compute(m, values[place], *arguments)
        slopes[parent, place, k] = slope
    found = adjoints(graph, slopes, m.mpf(1))
    by_name = dict(zip((n.name for n in graph.nodes), found, strict=True))
    return tuple(by_name[name] for name in graph.names)


def error_of(values: Sequence[float], exact: Sequence[Any]) -> float:
    """Return max |g - exact| / max |exact|, the relative error; absolute where exact is 0."""
    largest = max(abs(e) for e in exact)
    distance = max(abs(e - v) for v, e in zip(values, exact, strict=True))
    return float(distance / largest if largest else distance)


def tensor_function(graph: Graph) -> Function:
    """Return the graph as a function of a vector, its entries in the order of `graph.names`."""
    places = {name: k for k, name in enumerate(graph.names)}

    def function(w: Float64[Tensor, " parameters"]) -> Float64[Tensor, ""]:
        values: list[Tensor] = []
        for node in graph.nodes:
            if node.operation == "input":
                values.append(w[places[node.name]])
            elif node.operation == "number":
                values.append(w.new_tensor(node.number))
            else:
                arguments = [values[p] for p in node.parents]
                values.append(TENSOR_OPERATIONS[node.operation](*arguments))
        return values[-1]

    return function


def central_differences(f: Function, w: Float64[Tensor, " parameters"]) -> Gradient:
    """Return (f(w + h e_i) - f(w - h e_i)) / 2h for every i, h = eps^(1/3) max(1, |w_i|).

    The step balances an error of order h^2 against rounding of order eps / h.

    Source: Press et al., Numerical Recipes, 3rd ed. 2007, section 5.7.
    """
    begin, found = time.perf_counter(), []
    for i, value in enumerate(w.tolist()):
        step = STEP * max(1.0, abs(value))
        up, down = w.clone(), w.clone()
        up[i], down[i] = value + step, value - step
        # what was added is not quite what was asked for
        found.append(float((f(up) - f(down)) / (up[i] - down[i])))
    if not all(map(math.isfinite, found)):
        raise NumericError(
            "central differences: the formula has no value a step beside this point\n"
            "choose values further from the border of log, sqrt or ** with --at"
        )
    return Gradient("central differences", tuple(found), time.perf_counter() - begin, 2 * len(w))


def forward_mode(f: Function, w: Float64[Tensor, " parameters"]) -> Gradient:
    """Return the gradient in forward mode: one product with the Jacobian for every parameter."""
    begin = time.perf_counter()
    found = [float(torch.func.jvp(f, (w,), (e,))[1]) for e in torch.eye(len(w), dtype=w.dtype)]
    return Gradient("forward mode", tuple(found), time.perf_counter() - begin, len(w))


def reverse_mode(f: Function, w: Float64[Tensor, " parameters"]) -> Gradient:
    """Return the gradient in reverse mode: one pass forwards, one pass backwards."""
    begin = time.perf_counter()
    at = w.detach().requires_grad_()
    (found,) = torch.autograd.grad(f(at), at)
    values = tuple(found.tolist())
    return Gradient("reverse mode", values, time.perf_counter() - begin, 1, 1)
