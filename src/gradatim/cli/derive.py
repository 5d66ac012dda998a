"""`gradatim derive`."""

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from gradatim.cli.options import Flag, Json, Words, comma, inert, print_json
from gradatim.core.errors import ConfigError

__all__ = ["derive"]


def derive(
    what: str,
    /,
    *,
    at: Words = (),
    size: str = "tiny",
    given: Annotated[str | None, Parameter(name="--input")] = None,
    quick: Flag = False,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Differentiate a formula or a rung's network in several ways, and draw the graph.

    Parameters
    ----------
    what
        A formula such as "sigmoid(w2*sigmoid(w1*x))", or a rung such as mlp.
    at
        A value such as w1=0.5, or several with commas; names without one take 0.5, 0.6, ...
    size
        Of the rung.
    given
        The rung's input: 1x28x28 for pictures, 8 for columns, 32x3 for steps and channels.
    quick
        Do not measure how cost grows with the number of parameters.
    out
        The page; by default runs/derive-NAME.html.
    json
        Print one JSON object.
    """
    from gradatim.session.derive import derive as differentiate

    found = differentiate(what, at=_values(at), size=size, given=given, quick=quick, out=out)
    if json:
        print_json(found.facts)
        return
    lines = _formula(found.facts) if "formula" in found.facts else _network(found.facts)
    sys.stdout.write(inert("\n".join(lines)) + f"\nPage: {inert(found.page)}\n")


def _values(words: tuple[str, ...]) -> dict[str, float]:
    values: dict[str, float] = {}
    for word in (part for text in words for part in comma(text) or [""]):
        name, _, text = (part.strip() for part in word.partition("="))
        try:
            value = float(text)
        except ValueError:
            raise ConfigError(
                f"--at {word!r:.60}: write it as name=number, such as w1=0.5"
            ) from None
        if name in values:
            raise ConfigError(f"--at {name:.30} is given twice; give each name one value")
        values[name] = value
    return values


def _formula(facts: dict[str, Any]) -> list[str]:
    where = ", ".join(f"{name} = {value:g}" for name, value in facts["at"].items())
    lines = [f"ŷ = {facts['formula']} = {facts['value']:.10g} at {where}"]
    lines += [f"note: {note}" for note in facts["notes"]]
    lines += [
        f"  {node['name'] + ' = ' + node['text']:24} {node['value']:<14.8g} "
        f"dŷ/d{node['name']} = {node['derivative']:.8g}"
        for node in facts["nodes"]
        if node["operation"] != "input"
    ]
    for product in facts["products"]:
        written = " + ".join(" ".join(factors) for factors in product["factors"])
        hidden = product["paths"] - len(product["factors"])
        more = f" + {hidden} more paths" if hidden else ""
        value = facts["gradient"][product["name"]]
        lines.append(f"dŷ/d{product['name']} = {written}{more} = {value:.10g}")
    return [*lines, *_methods(facts["methods"])]


def _network(facts: dict[str, Any]) -> list[str]:
    shape = "x".join(map(str, facts["input"]["shape"]))
    title = f"{facts['rung']} at size {facts['size']}: {facts['parameters']:,} parameters"
    batch = f"loss {facts['loss']:.6g} on {facts['rows']} random rows of {shape}"
    lines = [f"{title}, not fitted; {batch}"]
    lines.append(f"  {'layer':32} {'mean':>10} {'deviation':>10} {'gradient':>10}")
    for layer in facts["layers"]:
        name = f"{layer['name']} {layer['kind']}"[-32:]
        numbers = (layer["mean"], layer["deviation"], layer["gradient"])
        lines.append(f"  {name:32} " + " ".join(f"{number:>10.3g}" for number in numbers))
    lines.append(f"derivative along {len(facts['directions'])} random directions:")
    return [*lines, *_methods(facts["methods"])]


def _methods(methods: list[dict[str, Any]]) -> list[str]:
    lines = [f"  {'method':20} {'error':>8} {'evaluations':>12} {'seconds':>9}"]
    return lines + [
        f"  {m['method']:20} {m['error']:8.1e} {m['evaluations']:12,} {m['seconds']:9.2g}"
        for m in methods
    ]
