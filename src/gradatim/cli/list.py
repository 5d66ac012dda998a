"""`gradatim list`."""

import sys
from typing import Any, Literal

from gradatim.cli.options import Json, print_json

__all__ = ["list_entries"]


def list_entries(
    what: Literal["rungs", "tasks", "sources", "optimizers"], /, *, json: Json = False
) -> None:
    """List what there is, in ladder order where there is one.

    Parameters
    ----------
    what
        rungs, tasks, sources or optimizers.
    json
        Print one JSON object.
    """
    from gradatim.session.listing import listing

    entries: list[dict[str, Any]] = listing(what)
    if json:
        print_json({what: entries})
        return
    width = max(len(entry["name"]) for entry in entries)
    for entry in entries:
        sys.stdout.write(f"{entry['name']:{width}}  {entry['summary']}{_named(entry)}\n")


def _named(entry: dict[str, Any]) -> str:
    """Say which published networks a rung's file holds, and that a climb has to be told."""
    if entry.get("default", True):
        return ""
    names = ", ".join(entry["published"])
    return f" (when named: {names})" if names else " (when named)"
