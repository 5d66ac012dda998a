"""The page of `derive`: a graph with its derivatives, the methods compared, what they cost."""

from collections.abc import Sequence
from math import floor, log10
from typing import Any

from markupsafe import Markup

from gradatim.report.figures.graph import GraphEdge, GraphNode, graph_figure
from gradatim.report.figures.growth import growth_figure, power_of_ten
from gradatim.report.figures.growth import seconds as tick_seconds
from gradatim.report.sheet import Part, sheet
from gradatim.report.svg import short
from gradatim.report.words import duration

__all__ = ["formula_page", "network_page"]

MINUS = "\N{MINUS SIGN}"
REVERSE = "reverse mode"


def number(value: float, digits: int = 4) -> str:
    """Write a number in a few digits, as short as they allow.

    >>> number(0.25), number(-0.0046843), number(2.5e-9)
    ('0.25', '−0.004684', '2.5e-09')
    """
    return f"{value:.{digits}g}".replace("-", MINUS, 1) if value < 0 else f"{value:.{digits}g}"


def formula_page(facts: dict[str, Any]) -> str:
    """Return the page of a formula."""
    where = ", ".join(f"{name} = {value:g}" for name, value in facts["at"].items())
    lead = f"ŷ = {number(facts['value'], 6)} at {short(where, 300)}."
    parts = [_graph(facts), _products(facts), _methods(facts)]
    if facts["symbolic"]:
        parts.append(_symbolic(facts["symbolic"]))
    if facts["growth"]:
        parts += _growth(facts["growth"])
    return sheet(f"ŷ = {short(facts['formula'], 120)}", lead, parts)


def _graph(facts: dict[str, Any]) -> Part:
    places = {node["place"]: k for k, node in enumerate(facts["nodes"])}
    names = {node["place"]: node["name"] for node in facts["nodes"]}
    nodes = [_node(node, node["place"] == max(places)) for node in facts["nodes"]]
    edges = [
        GraphEdge(
            places[edge["from"]],
            places[edge["to"]],
            number(edge["derivative"]),
            f"d{names[edge['to']]}/d{names[edge['from']]} = {edge['formula']}"
            f" = {number(edge['derivative'], 10)}",
        )
        for edge in facts["edges"]
    ]
    text = (
        "Forwards, from left to right: every node holds its value. Backwards: the number at an edge"
        " is the derivative of the node it points to by the node it comes from, and ∂ in a node is"
        " the derivative of ŷ by that node: the sum, over the edges that leave it, of the edge's"
        " number times the ∂ it leads to."
    )
    notes = f" Not given, so chosen: {_defaults(facts)}." if _defaults(facts) else ""
    figure = graph_figure(nodes, edges, f"computational graph of {short(facts['formula'], 120)}")
    return Part("The graph", text + notes, figure)


def _defaults(facts: dict[str, Any]) -> str:
    ending = " was not given"
    return ", ".join(n.removesuffix(ending) for n in facts["notes"] if n.endswith(ending))


def _node(node: dict[str, Any], last: bool) -> GraphNode:
    entry = node["operation"] == "input"
    label = node["name"] if entry else f"{node['name']} = {node['text']}"
    title = f"{label} = {number(node['value'], 10)}, dŷ/d{node['name']} = "
    return GraphNode(
        label.replace("sigmoid", "σ"),
        number(node["value"]),
        f"∂ {number(node['derivative'], 3)}",
        "input" if entry else "result" if last else "step",
        title + number(node["derivative"], 10),
    )


def _products(facts: dict[str, Any]) -> Part:
    rows = []
    for product in facts["products"]:
        written = " + ".join(" · ".join(factors) for factors in product["factors"])
        values = " + ".join(" · ".join(map(number, values)) for values in product["values"])
        hidden = product["paths"] - len(product["factors"])
        more = f" + {hidden:,} more paths" if hidden else ""
        derivative = number(facts["gradient"][product["name"]], 8)
        rows.append((f"dŷ/d{product['name']}", written + more, values + more, derivative))
    text = "One product for every path from ŷ to the name; several paths are added up."
    columns = ("derivative", "chain rule", "in numbers", "value")
    return Part("The chain rule, written out", text, columns=columns, rows=rows)


def _methods(facts: dict[str, Any]) -> Part:
    names = list(facts["at"])[:6]
    rows = [
        (
            method["method"],
            *(number(method["gradient"][name], 8) for name in names),
            f"{method['error']:.1e}",
            method["evaluations"],
            duration(method["seconds"]),
        )
        for method in facts["methods"]
    ]
    text = (
        "The error is the largest distance from the gradient in fifty digits, as a share of its"
        " largest entry. Evaluations count how often the function was computed; the chain rule and"
        " reverse mode also walk the graph backwards once. Symbolic seconds include deriving."
    )
    rest = [note for note in facts["notes"] if not note.endswith("was not given")]
    text += "".join(f" {note[0].upper()}{note[1:]}." for note in rest)
    columns = ("method", *(f"dŷ/d{n}" for n in names), "error", "evaluations", "time")
    return Part("Five ways to the gradient", text, columns=columns, rows=rows)


def _symbolic(found: dict[str, Any]) -> Part:
    text = (
        f"The function has {found['function']:,} operations, its derivatives written out"
        f" {found['operations']:,}; {found['shared']:,} are left when equal parts are computed"
        " once."
    )
    rows = [(f"dŷ/d{name}", formula) for name, formula in found["formulas"].items()]
    return Part("The derivatives as formulas", text, columns=("", "formula"), rows=rows)


def _growth(costs: Sequence[dict[str, Any]]) -> list[Part]:
    text = (
        "The two-layer network σ(vᵀσ(Wx)) of the course, with more and more hidden units. Reverse"
        " mode costs about the same whatever the number of parameters; forward mode and central"
        " differences pay for each one. SymPy stops where its formulas become too long."
    )
    errors = _lines(costs, "error", 1e-17)
    times, calls = _lines(costs, "seconds"), _lines(costs, "evaluations")
    x = "parameters"
    figures = [
        growth_figure(errors, x, "error", power_of_ten, "central differences"),
        growth_figure(times, x, "time", tick_seconds, REVERSE),
        growth_figure(calls, x, "evaluations", power_of_ten, REVERSE),
    ]
    rows = [
        (
            cost["parameters"],
            cost["method"],
            f"{cost['error']:.1e}",
            cost["evaluations"],
            duration(cost["seconds"]),
            "" if cost["operations"] is None else f"{cost['operations']:,}",
        )
        for cost in costs
    ]
    columns = ("parameters", "method", "error", "evaluations", "time", "operations of formulas")
    grid = Markup('<div class="grid two">{}</div>').format(Markup("").join(figures))
    return [
        Part("Error and cost as the number of parameters grows", text, grid),
        Part("The same in numbers", "", columns=columns, rows=rows),
    ]


def _lines(
    costs: Sequence[dict[str, Any]], key: str, floor: float = 0.0
) -> dict[str, list[tuple[float, float]]]:
    """Return a line a method; an error of 0 lies on the floor, since a logarithm has none."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for cost in costs:
        point = (float(cost["parameters"]), max(floor, float(cost[key])))
        lines.setdefault(cost["method"], []).append(point)
    return lines


def network_page(facts: dict[str, Any]) -> str:
    """Return the page of a rung's network."""
    shape = "×".join(map(str, facts["input"]["shape"]))
    lead = (
        f"{facts['parameters']:,} parameters at size {facts['size']}, new and not fitted; loss"
        f" {number(facts['loss'])} on {facts['rows']} random rows of {shape}."
    )
    return sheet(
        f"The gradient of {facts['rung']}",
        lead,
        [_network_graph(facts, shape), _network_methods(facts), _network_layers(facts)],
    )


def _network_graph(facts: dict[str, Any], shape: str) -> Part:
    nodes = [GraphNode("input", shape, "", "input")]
    edges = []
    for k, layer in enumerate(facts["layers"]):
        last = k == len(facts["layers"]) - 1
        value = _spread(layer["mean"], layer["deviation"])
        title = f"{layer['name']}: {layer['parameters']:,} parameters, gives {_shape(layer)}"
        kind = "result" if last else "step"
        back = f"∂ {number(layer['gradient'], 3)}"
        nodes.append(GraphNode(layer["kind"], value, back, kind, title))
        for parent in layer["parents"]:
            came = facts["layers"][parent]["gradient"] if parent >= 0 else None
            label = "" if came is None else number(came, 3)
            edges.append(GraphEdge(parent + 1, k + 1, label))
    text = (
        "Forwards: every layer holds the mean ± standard deviation of what it gives. Backwards: ∂,"
        " and the number at the edges that leave it, is the norm of the loss's gradient by what it"
        " gives. Where edges meet, values are added or joined on the way."
    )
    return Part("The layers", text, graph_figure(nodes, edges, f"layers of {facts['rung']}"))


def _spread(mean: float, deviation: float) -> str:
    """Write mean ± deviation with two digits of the deviation, and the mean as exactly."""
    if not 1e-2 < deviation < 1e4:
        return f"{number(mean, 1)} ± {number(deviation, 1)}"
    places = max(0, 1 - floor(log10(deviation)))
    return f"{mean:.{places}f} ± {deviation:.{places}f}".replace("-", MINUS)


def _network_methods(facts: dict[str, Any]) -> Part:
    text = (
        f"The derivative of the loss along {len(facts['directions'])} random directions of length"
        " 1, in float64. The error is the largest distance from reverse mode, as a share of the"
        " largest derivative; time is that of one direction. Reverse mode has the derivative along"
        " every direction after one pass. Central differences lose more digits where a step goes"
        " over the bend of a ReLU."
    )
    rows = [
        (m["method"], f"{m['error']:.1e}", m["evaluations"], duration(m["seconds"]))
        for m in facts["methods"]
    ]
    columns = ("method", "error", "evaluations", "time")
    return Part("Three ways to the derivative", text, columns=columns, rows=rows)


def _network_layers(facts: dict[str, Any]) -> Part:
    rows = [
        (
            layer["name"],
            layer["kind"],
            _shape(layer),
            f"{layer['parameters']:,}",
            number(layer["mean"]),
            number(layer["deviation"]),
            number(layer["gradient"]),
        )
        for layer in facts["layers"]
    ]
    columns = ("layer", "kind", "gives", "parameters", "mean", "deviation", "gradient norm")
    return Part("The layers in numbers", "", columns=columns, rows=rows)


def _shape(layer: dict[str, Any]) -> str:
    return "×".join(map(str, layer["shape"])) or "1"
