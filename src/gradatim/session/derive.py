"""`derive`: the gradient of a formula or of a rung's network, in several ways, on one page."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from gradatim.core.errors import ConfigError, NumericError, nearest
from gradatim.explain.derivatives.differentiate import (
    Backward,
    Gradient,
    backward,
    central_differences,
    chain_rule,
    error_of,
    exact_gradient,
    forward_mode,
    reverse_mode,
    tensor_function,
)
from gradatim.explain.derivatives.directions import Direction, directions
from gradatim.explain.derivatives.expression import default_values, parse
from gradatim.explain.derivatives.graph import Graph
from gradatim.explain.derivatives.growth import growth
from gradatim.explain.derivatives.layers import layers
from gradatim.explain.derivatives.network import example
from gradatim.explain.derivatives.operations import OPERATIONS
from gradatim.explain.derivatives.products import path_count, products
from gradatim.explain.derivatives.symbolic import LARGEST, formulas, symbolic
from gradatim.report.derivation import formula_page, network_page
from gradatim.runs.files import write_bytes

__all__ = ["Derivation", "derive"]

METHODS = ("reverse mode", "forward mode", "central differences")
LONGEST = 400  # letters of a symbolic derivative that is shown


@dataclass(frozen=True)
class Derivation:
    """What was found, as plain values, and the page that shows it."""

    facts: dict[str, Any]
    page: Path


def derive(
    what: str,
    *,
    at: Mapping[str, float] | None = None,
    size: str = "tiny",
    given: str | None = None,
    quick: bool = False,
    out: Path | None = None,
) -> Derivation:
    """Differentiate a formula or a rung's network and write the page.

    Args:
        what: a formula such as "sigmoid(w*x)", or the name of a rung.
        at: values of the formula's names; the others take 0.5, 0.6, ... in order.
        size: of the rung.
        given: its input, such as "1x28x28"; see `explain.examples.signature_for`.
        quick: do not measure how cost grows with the number of parameters.
        out: the page; by default in runs/.

    Raises:
        ConfigError: the formula cannot be read, or the rung has no gradient.
        NumericError: a node or an edge has no value at this point.
    """
    what = " ".join(what.split())
    if re.fullmatch(r"[A-Za-z_]\w*", what):
        if at:
            raise ConfigError(f"--at gives values to the names of a formula; {what} is a name")
        facts, name = _network(what, size, given), what
        page = network_page(facts)
    else:
        facts = _formula(what, at or {}, quick)
        name = f"formula-{hashlib.sha256(what.encode()).hexdigest()[:8]}"
        page = formula_page(facts)
    path = out or Path("runs") / f"derive-{name}.html"
    if path.is_dir():
        raise ConfigError(f"--out {path} is a folder; name a file, such as {path / 'derive.html'}")
    write_bytes(path, page.encode())
    return Derivation(facts | {"page": path}, path)


def _formula(text: str, at: Mapping[str, float], quick: bool) -> dict[str, Any]:
    graph = parse(text)
    point = default_values(graph.names) | _checked(at, graph.names)
    values = graph.values(point)
    found = backward(graph, values)
    notes = [f"{n} = {point[n]:g} was not given" for n in graph.names if n not in at]
    methods, symbols = _five(graph, point, notes)
    exact = exact_gradient(graph, point)
    return {
        "formula": text,
        "at": point,
        "value": values[-1],
        "gradient": dict(zip(graph.names, map(float, exact), strict=True)),
        "nodes": _nodes(graph, values, found),
        "edges": _edges(graph, found),
        "products": [_product(graph, found, name) for name in graph.names],
        "methods": [_method(m, graph.names, error_of(m.values, exact)) for m in methods],
        "symbolic": symbols,
        "growth": [] if quick else [asdict(cost) for cost in growth()],
        "notes": notes,
    }


def _checked(at: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    for name, value in at.items():
        if name not in names:
            raise ConfigError(f'--at: the formula has no "{name:.30}"; {nearest(name, names)}')
        if not math.isfinite(value):
            raise ConfigError(f"--at {name}={value}: a finite number is needed")
    return dict(at)


def _five(
    graph: Graph, point: Mapping[str, float], notes: list[str]
) -> tuple[list[Gradient], dict[str, Any] | None]:
    """Return all methods that can be had here; a note says why one cannot."""
    f, symbols = tensor_function(graph), None
    w = torch.tensor([point[n] for n in graph.names], dtype=torch.float64)
    for warm in (forward_mode, reverse_mode):
        warm(f, w)  # the first call loads code, which no time should show
    found = [chain_rule(graph, point)]
    try:
        found.append(central_differences(f, w))
    except NumericError as error:
        notes.append(str(error).partition("\n")[0])
    size = graph.unfolded()
    if size > LARGEST:
        notes.append(f"no symbolic derivative: {size} nodes written out, SymPy takes {LARGEST}")
    else:
        derived = formulas(graph)
        try:
            found.append(symbolic(derived, point))
            texts = [text[:LONGEST] for text in derived.texts()]
            symbols = {
                "formulas": dict(zip(graph.names, texts, strict=True)),
                "operations": derived.operations,
                "shared": derived.shared,
                "function": derived.function,
            }
        except NumericError as error:
            notes.append(str(error))
    return [*found, forward_mode(f, w), reverse_mode(f, w)], symbols


def _method(found: Gradient, names: Sequence[str], error: float) -> dict[str, Any]:
    return {
        "method": found.method,
        "gradient": dict(zip(names, found.values, strict=True)),
        "error": error,
        "evaluations": found.evaluations,
        "backward": found.backward,
        "seconds": found.seconds,
    }


def _nodes(graph: Graph, values: Sequence[float], found: Backward) -> list[dict[str, Any]]:
    return [
        {
            "place": place,
            "name": node.name,
            "text": node.text,
            "operation": node.operation,
            "value": values[place],
            "derivative": found.adjoints[place],
        }
        for place, node in enumerate(graph.nodes)
        if node.operation != "number"
    ]


def _edges(graph: Graph, found: Backward) -> list[dict[str, Any]]:
    edges = []
    for (start, stop, k), slope in found.slopes.items():
        node = graph.nodes[stop]
        names = [graph.nodes[p].name for p in node.parents]
        formula = OPERATIONS[node.operation].slopes[k].written.format(*names, v=node.name)
        edges.append({"from": start, "to": stop, "derivative": slope, "formula": formula})
    return edges


def _product(graph: Graph, found: Backward, name: str) -> dict[str, Any]:
    shown = products(graph, found, name)
    return {
        "name": name,
        "paths": path_count(graph, name),
        "factors": [list(product.factors) for product in shown],
        "values": [list(product.values) for product in shown],
    }


def _network(name: str, size: str, given: str | None) -> dict[str, Any]:
    try:
        case = example(name, size, given)
    except ConfigError as error:
        hint = "\na formula computes, as w*x does" if "there is no rung" in str(error) else ""
        raise ConfigError(f"{error}{hint}") from error
    found = directions(case)
    with torch.no_grad():
        loss = float(case.loss())
    return {
        "rung": name,
        "size": size,
        "input": case.signature.input.model_dump(exclude={"columns"})
        | {"shape": list(case.features.shape[1:])},
        "rows": len(case.features),
        "task": case.task.name,
        "loss": loss,
        "parameters": sum(p.numel() for p in case.model.network.parameters()),
        "layers": [asdict(layer) for layer in layers(case)],
        "directions": [asdict(direction) for direction in found],
        "methods": [_compared(found, method) for method in METHODS],
    }


def _compared(found: Sequence[Direction], method: str) -> dict[str, Any]:
    """Return a method's largest distance from reverse mode, and its price for one direction."""
    field = {"forward mode": "forward", "central differences": "central"}.get(method, "reverse")
    largest = max(abs(direction.reverse) for direction in found) or 1.0
    errors = [abs(getattr(d, field) - d.reverse) / largest for d in found]
    passes = {"reverse mode": 1, "forward mode": len(found), "central differences": 2 * len(found)}
    return {
        "method": method,
        "error": max(errors),
        "evaluations": passes[method],
        "seconds": min(d.seconds[method] for d in found),
    }
