"""The chain rule written out: one product of local derivatives for every path to an input.

dŷ/dw1 = dŷ/du5 du5/du4 ... du1/dw1, summed over the paths where there are several.

Source: course 000, "Chain rule" (the product for f(x; w1, w2, w3)).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from gradatim.explain.derivatives.differentiate import Backward
from gradatim.explain.derivatives.graph import Graph

__all__ = ["Product", "path_count", "products"]


@dataclass(frozen=True)
class Product:
    """One path: `factors` such as "dŷ/du5" with the value of each."""

    factors: tuple[str, ...]
    values: tuple[float, ...]


def products(graph: Graph, found: Backward, name: str, most: int = 3) -> list[Product]:
    """Return the products of at most `most` paths from the result to an input."""
    target = next(k for k, node in enumerate(graph.nodes) if node.name == name)
    return list(islice(_walk(graph, found, target, len(graph.nodes) - 1), most))


def _walk(graph: Graph, found: Backward, target: int, place: int) -> Iterator[Product]:
    if place == target:
        yield Product((), ())
    for k, parent in enumerate(graph.nodes[place].parents):
        if (parent, place, k) not in found.slopes:
            continue
        factor = f"d{graph.nodes[place].name}/d{graph.nodes[parent].name}"
        slope = found.slopes[parent, place, k]
        for rest in _walk(graph, found, target, parent):
            yield Product((factor, *rest.factors), (slope, *rest.values))


def path_count(graph: Graph, name: str) -> int:
    """Return how many paths lead from the result to an input."""
    counts = [int(node.name == name) for node in graph.nodes]
    for place, node in enumerate(graph.nodes):
        counts[place] += sum(counts[p] for p in node.parents)
    return counts[-1]
