"""A computational graph: u1 = w1*x, u2 = sigmoid(u1), ..., ŷ, and its forward pass.

Source: course 000, "Chain rule" (intermediate functions u1 ... u5).
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gradatim.core.errors import ConfigError, NumericError
from gradatim.explain.derivatives.operations import OPERATIONS

__all__ = ["RESULT", "Builder", "Graph", "Node"]

RESULT = "ŷ"  # no name of a user can be it


@dataclass(frozen=True)
class Node:
    """One node.

    Args:
        name: "w1" for an input, "u3" for an intermediate value, "ŷ" for the result.
        operation: a key of `OPERATIONS`, "input" or "number".
        parents: the places of its arguments among the nodes.
        text: what it is, such as "w2*u2".
        number: of a "number".
    """

    name: str
    operation: str
    parents: tuple[int, ...] = ()
    text: str = ""
    number: float = 0.0


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which they can be computed; the last is the result."""

    nodes: tuple[Node, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs, w2 before w10."""
        inputs = [node.name for node in self.nodes if node.operation == "input"]
        return tuple(sorted(inputs, key=_natural))

    def steps(self) -> list[int]:
        """Return the places of the nodes that are computed."""
        return [i for i, n in enumerate(self.nodes) if n.operation in OPERATIONS]

    def varying(self) -> frozenset[int]:
        """Return the places of the nodes that some input can change."""
        found: set[int] = set()
        for place, node in enumerate(self.nodes):
            if node.operation == "input" or found.intersection(node.parents):
                found.add(place)
        return frozenset(found)

    def unfolded(self) -> int:
        """Return how many nodes the formula has when nothing is shared, as when written out."""
        sizes: list[int] = []
        for node in self.nodes:
            sizes.append(1 + sum(sizes[p] for p in node.parents))
        return sizes[-1]

    def edges(self) -> list[tuple[int, int, int]]:
        """Return what depends on what: (from, to, which argument), numbers aside."""
        varying = self.varying()
        return [
            (parent, place, k)
            for place in self.steps()
            for k, parent in enumerate(self.nodes[place].parents)
            if parent in varying
        ]

    def values(self, at: Mapping[str, float]) -> list[float]:
        """Return the value of every node: the forward pass.

        Raises:
            NumericError: naming the node whose value does not exist.
        """
        values: list[float] = []
        for node in self.nodes:
            if node.operation == "input":
                values.append(float(at[node.name]))
            elif node.operation == "number":
                values.append(node.number)
            else:
                values.append(self._compute(node, [values[p] for p in node.parents]))
        return values

    def _compute(self, node: Node, arguments: Sequence[float]) -> float:
        try:
            value = OPERATIONS[node.operation].compute(math, *arguments)
        except (ArithmeticError, ValueError):
            value = math.nan
        if isinstance(value, complex) or not math.isfinite(value):
            raise self.undefined(node, arguments, f"{node.name} = {node.text}")
        return float(value)

    def undefined(self, node: Node, arguments: Sequence[float], what: str) -> NumericError:
        """Return the error of a node or an edge that has no value at these arguments."""
        pairs = [(self.nodes[p], a) for p, a in zip(node.parents, arguments, strict=True)]
        named = {parent.name: a for parent, a in pairs if parent.operation != "number"}
        where = ", ".join(f"{name} = {a:.6g}" for name, a in named.items()) or "any point"
        needs = OPERATIONS[node.operation].needs
        return NumericError(
            f"{what} has no value at {where}\n"
            f"{node.operation} needs {needs}; choose other values with --at"
        )


@dataclass
class Builder:
    """Makes a graph node by node; a node that is there already is used again."""

    nodes: list[Node] = field(default_factory=list)
    places: dict[tuple[object, ...], int] = field(default_factory=dict)
    most: int | None = None

    def name(self, name: str) -> int:
        """Return the place of an input."""
        return self._place(("input", name), Node(name, "input", text=name))

    def number(self, value: float) -> int:
        """Return the place of a number."""
        node = Node(f"{value:.6g}", "number", text=f"{value:.6g}", number=value)
        return self._place(("number", value), node)

    def apply(self, operation: str, *parents: int) -> int:
        """Return the place of an operation on other nodes."""
        name = f"u{1 + sum(n.operation in OPERATIONS for n in self.nodes)}"
        text = OPERATIONS[operation].written.format(*(self._written(p) for p in parents))
        return self._place((operation, *parents), Node(name, operation, parents, text))

    def graph(self) -> Graph:
        """Return the graph; its last node is called ŷ."""
        last = self.nodes[-1]
        result = Node(RESULT, last.operation, last.parents, last.text, last.number)
        return Graph((*self.nodes[:-1], result))

    def _written(self, place: int) -> str:
        node = self.nodes[place]
        return f"({node.name})" if node.operation == "number" and node.number < 0 else node.name

    def _place(self, key: tuple[object, ...], node: Node) -> int:
        if key not in self.places:
            if self.most is not None and len(self.nodes) >= self.most:
                raise ConfigError(
                    f"the formula has more than {self.most} nodes; that cannot be drawn\n"
                    "write a shorter one, or name a rung: gradatim derive mlp"
                )
            self.places[key] = len(self.nodes)
            self.nodes.append(node)
        return self.places[key]


def _natural(name: str) -> list[tuple[int, str]]:
    pieces = re.findall(r"\d+|\D+", name)
    return [(int(p), "") if p.isdigit() else (-1, p) for p in pieces]
