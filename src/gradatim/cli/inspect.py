"""`gradatim inspect`."""

import sys
from typing import Any

from gradatim.cli.data_flags import LOOK, LookFlags
from gradatim.cli.options import Flag, Json, inert, print_json

__all__ = ["inspect"]


def inspect(
    data: str,
    /,
    *,
    flags: LookFlags = LOOK,
    quick: Flag = False,
    json: Json = False,
) -> None:
    """Look the data over: types, gaps, duplicates, leaks, and how long each rung takes.

    Parameters
    ----------
    data
        As for climb.
    quick
        Do not measure how long each rung takes.
    json
        Print one JSON object.
    """
    from gradatim.session.inspect import inspect as look

    facts = look(data, timing=not quick, **vars(flags))
    if json:
        print_json(facts)
    else:
        _print(facts)


def _print(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 110)
    console.print(
        f"{_safe(facts['data'])}: {facts['rows']} rows, {facts['task']} by {facts['metric']}; "
        f"{facts['train_rows']} to learn from, {facts['test_rows']} sealed; "
        f"split {facts['split_hash'][:16]}"
    )
    columns = facts["input"].get("columns", [])
    if columns:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for head in ("column", "kind", "missing", "distinct", "minimum", "maximum"):
            table.add_column(head, justify="left" if head in ("column", "kind") else "right")
        for column in columns[:50]:
            numbers = [column.get(k) for k in ("minimum", "maximum")]
            texts = [f"{n:.6g}" if isinstance(n, float | int) else "" for n in numbers]
            counts = [str(column.get("missing", "")), str(column.get("distinct", ""))]
            table.add_row(_safe(column["name"]), column["kind"], *counts, *texts)
        console.print(table)
    if facts["input"]["kind"] == "sequence":
        _print_channels(console, facts["input"])
    for finding in facts["findings"]:
        style = {"note": "dim", "warning": "yellow", "blocking": "bold red"}[finding["weight"]]
        text = f"{finding['weight']}: {finding['message'].rstrip('.')}"
        text += f"; {finding['remedy']}" if finding["remedy"] else ""
        console.print(_safe(text), style=style)
    for rung in facts["rungs"]:
        if rung["reason"]:
            console.print(_safe(f"{rung['name']:14} refuses: {rung['reason']}"), style="dim")
        elif rung["fit_seconds"] is not None:
            seconds = f"{rung['fit_seconds']:.1f} s a fit, {rung['climb_seconds']:.1f} s a climb"
            console.print(f"{rung['name']:14} about {seconds}")


def _print_channels(console: Any, field: dict[str, Any]) -> None:
    from rich.table import Table

    console.print(f"sequences of {field['steps']} steps with {field['channels']} channels")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in ("channel", "minimum", "maximum", "mean"):
        table.add_column(head, justify="right")
    for place, numbers in enumerate(field["ranges"][:50]):
        texts = [f"{numbers[k]:.6g}" for k in ("minimum", "maximum", "mean")]
        table.add_row(str(place), *texts)
    console.print(table)


def _safe(text: str) -> str:
    from rich.markup import escape

    return escape(inert(text))
