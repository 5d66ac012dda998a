"""The leaderboard as text."""

import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gradatim.cli.options import inert
from gradatim.runs.card import spoken

__all__ = ["print_board"]


def print_board(board: dict[str, Any]) -> None:
    """Print leaderboard, verdict, test score and the path of the report on stdout."""
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 110)
    console.print(_table(board))
    refused = [row["name"] for row in board["rungs"] if row["status"] == "refused"]
    if refused:
        text = f"not for this data: {', '.join(refused)} (the report says why)"
        console.print(_safe(text), style="dim")
    for row in board["rungs"]:
        if row["status"] not in ("ok", "refused"):
            reason = f"{row['name']} {row['status']}: {row['reason']}; {row['remedy']}"
            console.print(_safe(reason), style="dim")
    for note in board["notes"]:
        console.print(_safe(f"note: {note}"), style="yellow")
    verdict, test = board["verdict"], board["test"]
    console.print(f"\n[bold]{_safe(verdict['headline'])}.[/bold] {_safe(verdict['reason'])}")
    console.print(
        f"Sealed test split, opened {test['openings']}x: {board['metric']} {spoken(test['score'])} "
        f"(95 % interval {spoken(test['low'])} to {spoken(test['high'])}); "
        f"split {board['split_hash'][:16]}"
    )
    console.print(f"Report: {_safe(str(board['report']))}", soft_wrap=True)


def _table(board: dict[str, Any]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("rung")
    heads = (board["metric"], "95 % interval", "vs below", "parameters", "fit s", "1 row ms")
    for head in (*heads, "256 rows ms"):
        table.add_column(head, justify="right")
    for row in board["rungs"]:
        if row["status"] == "ok":
            best = row["name"] == board["verdict"]["rung"]
            table.add_row(*_cells(row), style="bold green" if best else "")
    return table


def _cells(row: dict[str, Any]) -> list[str]:
    below = row["below"]
    interval = "" if row["low"] is None else f"{row['low']:.4g} .. {row['high']:.4g}"
    return [
        row["name"],
        f"{row['score']:.4g}",
        interval,
        f"{below['difference']:+.3g}" if below and below["difference"] is not None else "",
        f"{row['parameters']:,}",
        f"{row['fit_seconds']:.2f}",
        f"{1e3 * row['predict_seconds_1']:.2f}",
        f"{1e3 * row['predict_seconds_256']:.2f}",
    ]


def _safe(text: str) -> str:
    return escape(inert(text))
