"""Error and cost of the five gradients as the number of parameters grows.

The function is the two-layer network of course 000, "Chain rule": f(x; W, v) = s(v^T s(W x)),
with three inputs and P / 4 hidden units, so that P counts W and v.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float64
from torch import Tensor

from gradatim.core.errors import ConfigError
from gradatim.core.randomness import array_generator
from gradatim.explain.derivatives.differentiate import (
    Function,
    Gradient,
    central_differences,
    chain_rule,
    error_of,
    exact_gradient,
    forward_mode,
    reverse_mode,
)
from gradatim.explain.derivatives.graph import Builder, Graph
from gradatim.explain.derivatives.symbolic import formulas, symbolic

__all__ = ["MOST_SYMBOLIC", "SIZES", "Cost", "growth", "two_layers"]

SIZES = (4, 16, 64, 256, 1024)
MOST_SYMBOLIC = 64
"""Parameters up to which SymPy is asked: with 256 its formulas would have 400,000 operations."""
INPUTS = 3
REPEATS = 3  # the quickest counts


@dataclass(frozen=True)
class Cost:
    """One method at one size; `operations` are those of its formulas, where it has formulas."""

    parameters: int
    method: str
    error: float
    seconds: float
    evaluations: int
    operations: int | None = None


@dataclass(frozen=True)
class Network:
    """The same function twice: node by node, and on vectors."""

    graph: Graph
    function: Function
    at: dict[str, float]

    @property
    def point(self) -> Float64[Tensor, " parameters"]:
        """The parameters in the order of the graph's names."""
        return torch.tensor([self.at[n] for n in self.graph.names], dtype=torch.float64)


def two_layers(parameters: int) -> Network:
    """Return f(x; W, v) = s(v^T s(W x)) with weights drawn once for each size.

    Args:
        parameters: a multiple of 4.
    """
    if parameters < 4 or parameters % 4:
        raise ConfigError(f"{parameters} parameters: the network takes 4, 8, 12, ...")
    hidden, chance = parameters // (INPUTS + 1), array_generator(0, "derive", parameters)
    x = chance.normal(size=INPUTS)
    names = [f"a{j}" for j in range(INPUTS * hidden)] + [f"b{j}" for j in range(hidden)]
    at = dict(zip(names, chance.normal(size=parameters).tolist(), strict=True))
    inputs = torch.from_numpy(x)

    def function(w: Float64[Tensor, " parameters"]) -> Float64[Tensor, ""]:
        first, second = w[: INPUTS * hidden].view(hidden, INPUTS), w[INPUTS * hidden :]
        return (second @ (first @ inputs).sigmoid()).sigmoid()

    return Network(_graph(hidden, x.tolist()), function, at)


def _graph(hidden: int, x: Sequence[float]) -> Graph:
    build, total = Builder(), None
    for j in range(hidden):
        terms = [
            build.apply("multiply", build.name(f"a{INPUTS * j + i}"), build.number(x[i]))
            for i in range(INPUTS)
        ]
        inner = terms[0]
        for term in terms[1:]:
            inner = build.apply("add", inner, term)
        unit = build.apply("multiply", build.name(f"b{j}"), build.apply("sigmoid", inner))
        total = unit if total is None else build.apply("add", total, unit)
    assert total is not None
    build.apply("sigmoid", total)
    return build.graph()


def growth(sizes: Sequence[int] = SIZES) -> Iterator[Cost]:
    """Measure every method at every size; the error is relative to a gradient in fifty digits.

    Args:
        sizes: numbers of parameters, multiples of 4; above `MOST_SYMBOLIC` SymPy is left out.
    """
    for size in sizes:
        network = two_layers(size)
        exact = exact_gradient(network.graph, network.at)
        for found, operations in _all(network, size):
            error = error_of(found.values, exact)
            cost = Cost(size, found.method, error, found.seconds, found.evaluations, operations)
            yield cost


def _all(network: Network, size: int) -> Iterator[tuple[Gradient, int | None]]:
    f, w = network.function, network.point
    yield _quickest(lambda: chain_rule(network.graph, network.at)), None
    yield _quickest(lambda: central_differences(f, w)), None
    if size <= MOST_SYMBOLIC:
        found = formulas(network.graph)
        yield symbolic(found, network.at), found.operations
    yield _quickest(lambda: forward_mode(f, w)), None
    yield _quickest(lambda: reverse_mode(f, w)), None


def _quickest(method: Callable[[], Gradient]) -> Gradient:
    """The first call of a method loads code, and any call may be interrupted."""
    tries = [method() for _ in range(REPEATS)]
    return replace(tries[0], seconds=min(found.seconds for found in tries))
