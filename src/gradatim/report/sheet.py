"""`sheet`: figures and tables that belong to no run, as one page in the report's style."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from gradatim.report.page import render

__all__ = ["Part", "sheet"]


@dataclass(frozen=True)
class Part:
    """A section: a heading, what to see in it, a figure, a table; each but the first may be empty.

    Text in cells is escaped; figures are Markup made by `report.svg`.
    """

    heading: str
    text: str = ""
    figure: Markup = field(default_factory=Markup)
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()


def sheet(title: str, lead: str, parts: Sequence[Part]) -> str:
    """Return a self-contained HTML page.

    Args:
        title: the headline.
        lead: what the page says, in a sentence or two.
        parts: its sections, from top to bottom.
    """
    return render("sheet.html", title=title, lead=lead, parts=[_shown(part) for part in parts])


def _shown(part: Part) -> dict[str, object]:
    """Cells of a column are numbers when all of them read as one: those stand on the right."""
    rows = [[_text(cell) for cell in row] for row in part.rows]
    numbers = [all(_is_number(row[i]) for row in rows) for i in range(len(part.columns))]
    return {"part": part, "rows": rows, "numbers": numbers}


def _text(cell: object) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else "" if cell is None else str(cell)


def _is_number(text: str) -> bool:
    try:
        plain = text.replace(",", "").replace("\N{MINUS SIGN}", "-").lstrip("±").rstrip("%")
        float(plain or 0)
    except ValueError:
        return False
    return True
