"""Write docs/equations.md, the equation map, from docs/equations.toml."""

import re
import tomllib
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
SOURCE, PAGE = DOCS / "equations.toml", DOCS / "equations.md"
TITLES = {
    "000": "Course 000: *Deep learning introduction*",
    "001": "Course 001: *Deep Learning*",
}
Entry = dict[str, Any]

OPENING = """\
# The equation map

Every numbered formula of the two course documents, and the important ones without a number: its
right form, what computes it here, and the test that proves it. "Course 000" is *Deep learning
introduction* (G. Franchi, ENSTA, slides of 17/12/2021); "course 001" is *Deep Learning* (lectures
of M. Lelarge, J.-J. Vie and K. Scaman, notes by A. Groudiev, 24 June 2024). Where a formula is
misprinted or lacks a condition, the column "printed" says how it stands there, and gradatim
computes the right one.

Written by `python docs/equations.py` from [equations.toml](equations.toml), not by hand.
"""
WORDS = """\
## In words

Mistakes that belong to no formula.
"""


def page(source: dict[str, list[Entry]]) -> str:
    """The whole page."""
    parts = [OPENING]
    for document, entries in groupby(source["equation"], lambda e: e["document"]):
        parts.append(f"## {TITLES[document]}\n")
        for section, rows in groupby(entries, lambda e: e["section"]):
            parts += [f"### {section}\n", table(rows)]
    parts += [WORDS, table(source["words"])]
    return "\n".join(parts)


def table(entries: Iterable[Entry]) -> str:
    head = "| where | printed | right | computed by | proved by |\n|---|---|---|---|---|\n"
    return head + "".join(row(entry) for entry in entries)


def row(entry: Entry) -> str:
    cells = [
        place(entry),
        entry.get("printed", ""),
        right(entry),
        listed([code(name) for name in entry.get("code", [])]),
        listed([test(name) for name in entry.get("tests", [])]),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def place(entry: Entry) -> str:
    where = f"({entry['number']})" if "number" in entry else entry["place"]
    if "title" not in entry:
        return f"course {entry['document']}, {where}"
    return f"**{where}** {entry['title']}"


def right(entry: Entry) -> str:
    if "title" not in entry:
        return str(entry["right"])
    note = entry.get("note", "")
    return f"`{entry['right']}`" + (f"<br>{note}" if note else "")


def code(name: str) -> str:
    """A name, linked to the file that it stands in."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        file = Path("src", *parts[:end]).with_suffix(".py")
        if (DOCS.parent / file).is_file():
            return f"[`{name.removeprefix('gradatim.')}`](../{file.as_posix()})"
    return f"`{name}`"


def test(name: str) -> str:
    """A test in words, linked to its file."""
    file, _, function = name.partition("::")
    words = re.sub("^test_(course_00[01]_)?", "", function).replace("_", " ")
    return f"[{words}](../{file})"


def listed(items: list[str]) -> str:
    return "<br>".join(items if len(items) < 2 else [f"· {item}" for item in items])


if __name__ == "__main__":
    PAGE.write_text(page(tomllib.loads(SOURCE.read_text("utf-8"))), "utf-8")
    print(f"wrote {PAGE.name}")
