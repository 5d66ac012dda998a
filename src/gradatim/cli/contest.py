"""The board of a race or of a sweep over learning rates, as text."""

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gradatim.cli.options import inert

__all__ = ["print_contest"]


def print_contest(board: Mapping[str, Any]) -> None:
    """Print scores, costs, the verdict and the path of the report on stdout."""
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 110)
    console.print(_table(board))
    if board["level"] is not None:
        text = f"costs are those of a {board['watched']} of {board['level']:.4g}"
        console.print(text, style="dim")
    for row in board["entrants"]:
        if row["status"] != "ok":
            console.print(_safe(f"{row['name']} {row['status']}: {row['reason']}"), style="dim")
    console.print(f"\n{_safe(board['lead'])}")
    console.print(f"Report: {_safe(str(board['report']))}", soft_wrap=True)


def _table(board: Mapping[str, Any]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    heads = ("rate", board["metric"], "95 % interval", "behind best", "p", "steps", "seconds")
    for head in (*heads, "passes"):
        table.add_column(head, justify="right")
    for row in board["entrants"]:
        leads = row["status"] == "ok" and row["best"] is None
        table.add_row(*_cells(row), style="bold green" if leads else "")
    return table


def _cells(row: Mapping[str, Any]) -> list[str]:
    start = [_safe(row["name"]), f"{row['lr']:.3g}"]
    if row["status"] != "ok":
        return [*start, row["status"]]
    interval = "" if row["low"] is None else f"{row['low']:.4g} .. {row['high']:.4g}"
    pair, at = row["best"] or {}, row["reached"] or {}
    return [
        *start,
        f"{row['score']:.4g}",
        interval,
        "" if pair.get("difference") is None else f"{0 - pair['difference']:.3g}",
        "" if pair.get("p_holm") is None else f"{pair['p_holm']:.3f}",
        f"{at['steps']:,.0f}" if at else "not",
        f"{at['seconds']:.2f}" if at else "reached",
        f"{at['passes']:.1f}" if at else "",
    ]


def _safe(text: str) -> str:
    return escape(inert(text))
