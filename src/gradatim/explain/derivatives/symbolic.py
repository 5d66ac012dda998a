"""The gradient as formulas: SymPy differentiates the expression, then its numbers are put in.

The expression is built from the nodes of the graph, never from text.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy  # torch needs it

from gradatim.core.errors import NumericError
from gradatim.explain.derivatives.differentiate import Gradient
from gradatim.explain.derivatives.graph import Graph
from gradatim.explain.derivatives.operations import OPERATIONS

__all__ = ["LARGEST", "Formulas", "formulas", "symbolic"]

LARGEST = 96
"""Nodes, written out, up to which SymPy is asked: a chain of 48 layers (145) takes ten seconds."""


class sigmoid(sympy.Function):  # noqa: N801  SymPy prints the name of the class
    """1 / (1 + exp(-x)), kept whole so that the formulas stay readable."""

    def fdiff(self, argindex: int = 1) -> Any:
        """Return the derivative."""
        return self * (1 - self)


class softplus(sympy.Function):  # noqa: N801
    """log(1 + exp(x))."""

    def fdiff(self, argindex: int = 1) -> Any:
        """Return the derivative."""
        return sigmoid(self.args[0])


class step(sympy.Function):  # noqa: N801
    """1 above 0, else 0."""

    def fdiff(self, argindex: int = 1) -> Any:
        """Return the derivative."""
        return sympy.Integer(0)


class relu(sympy.Function):  # noqa: N801
    """max(0, x)."""

    def fdiff(self, argindex: int = 1) -> Any:
        """Return the derivative."""
        return step(self.args[0])


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


NUMBERS: dict[str, Callable[[float], float]] = {
    "sigmoid": _sigmoid,
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "step": lambda x: float(x > 0),
    "relu": lambda x: max(x, 0.0),
    "sign": lambda x: float((x > 0) - (x < 0)),
}
BUILD: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: x**y,
    "negative": lambda x: -x,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "relu": relu,
    "square": lambda x: x**2,
    "abs": sympy.Abs,
} | {name: getattr(sympy, name) for name in ("tanh", "exp", "log", "sqrt", "sin", "cos")}


@dataclass(frozen=True)
class Formulas:
    """The derivative by each name.

    Args:
        names: in the order of the graph.
        partials: SymPy expressions.
        operations: how many operations all partials have, written out.
        shared: how many are left when equal parts are computed once.
        function: how many the function itself has.
        seconds: to derive them.
    """

    names: tuple[str, ...]
    partials: tuple[Any, ...]
    operations: int
    shared: int
    function: int
    seconds: float

    def texts(self) -> list[str]:
        """Return the formulas as text, with common factors collected."""
        return [str(sympy.factor_terms(partial)) for partial in self.partials]


def formulas(graph: Graph) -> Formulas:
    """Differentiate the expression of a graph by each of its names.

    The graph must have values (`Graph.values`); the number of operations grows with the cube of
    the depth of a chain.
    """
    begin = time.perf_counter()
    symbols = {name: sympy.Symbol(name, real=True) for name in graph.names}
    built: list[Any] = []
    varying, constants = graph.varying(), _constants(graph)
    for place, node in enumerate(graph.nodes):
        if node.operation == "input":
            built.append(symbols[node.name])
        elif node.operation == "number":
            built.append(_number(node.number))
        elif place not in varying:
            built.append(_number(constants[place]))  # 0.1**(9**8) as a fraction has no end
        else:
            built.append(BUILD[node.operation](*(built[p] for p in node.parents)))
    partials = tuple(sympy.diff(built[-1], symbols[name]) for name in graph.names)
    seconds = time.perf_counter() - begin
    replaced, reduced = sympy.cse(partials)
    shared = sum(sympy.count_ops(e) for _, e in replaced) + sum(map(sympy.count_ops, reduced))
    written = sum(map(sympy.count_ops, partials))
    return Formulas(
        graph.names, partials, int(written), int(shared), int(sympy.count_ops(built[-1])), seconds
    )


def _constants(graph: Graph) -> dict[int, float]:
    """Return the values that no input can change."""
    varying, found = graph.varying(), dict[int, float]()
    for place, node in enumerate(graph.nodes):
        if node.operation == "number":
            found[place] = node.number
        elif place not in varying:
            arguments = [found[p] for p in node.parents]
            found[place] = OPERATIONS[node.operation].compute(math, *arguments)
    return found


def _number(value: float) -> Any:
    """Return small whole numbers exactly; a power of a large one would be written out in full."""
    whole = abs(value) <= 64 and value == int(value)
    return sympy.Integer(int(value)) if whole else sympy.Float(value, 17)


def symbolic(found: Formulas, at: Mapping[str, float]) -> Gradient:
    """Return the gradient by putting numbers into the formulas; seconds include deriving them.

    Raises:
        NumericError: a number on the way is too large.
    """
    begin = time.perf_counter()
    symbols = [sympy.Symbol(name, real=True) for name in found.names]
    modules, wanted = [NUMBERS, "math"], list(found.partials)
    try:
        # Equal parts are computed once: deep formulas would nest more parentheses than Python takes
        compute = sympy.lambdify(symbols, wanted, modules=modules, cse=True)
        values = tuple(map(float, compute(*(at[name] for name in found.names))))
        if not all(map(math.isfinite, values)):
            raise OverflowError("it is not finite")
    except (ArithmeticError, TypeError, ValueError) as error:
        reason = str(error).partition(";")[0]
        raise NumericError(f"SymPy's derivative has no value at this point: {reason}") from error
    seconds = found.seconds + time.perf_counter() - begin
    return Gradient("symbolic", values, seconds, 1)
