"""`gradatim shapes`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gradatim.cli.options import Json, Whole, Words, inert, print_json

if TYPE_CHECKING:
    from gradatim.session.shapes import ShapesOfModel

__all__ = ["shapes"]


def shapes(
    model: str,
    /,
    *,
    input_: Annotated[str | None, Parameter(name="--input")] = None,
    classes: Whole | None = None,
    size: str | None = None,
    set_: Annotated[Words, Parameter(name="--set")] = (),
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Print and draw a network's layers: shapes, parameters, multiply-adds, fields.

    Parameters
    ----------
    model
        A rung that is trained, such as mlp, or a published network, such as resnet18.
    input_
        Of pictures channels x height x width, such as 3x224x224; of sequences steps x numbers a
        step, such as 20x2; of a table its columns, such as 13. By default 3x224x224 for a
        published network, 1x28x28 or what else the rung takes for another.
    classes
        Classes to tell apart; 1000 for pictures 224 pixels high, else 10.
    size
        A named size of the rung, such as tiny.
    set_
        Change a setting of the network, such as model.width=64; may be given several times.
    out
        The page with the figure; by default runs/shapes-NAME.html.
    json
        Print one JSON object.
    """
    from gradatim.runs.files import write_bytes
    from gradatim.session.shapes import shapes as look

    found = look(model, input_, classes=classes, size=size, settings=set_)
    page = out or Path("runs") / f"shapes-{model}.html"
    write_bytes(page, found.page().encode())
    if json:
        print_json(found.as_dict())
    else:
        _print(found, page)


def _print(found: "ShapesOfModel", page: Path) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from gradatim.session.shapes import COLUMNS

    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 160)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in COLUMNS:
        number = name not in ("layer", "kind", "output")
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in found.rows():
        table.add_row(*(escape(inert(cell)) for cell in row), style="" if row[4] else "dim")
    console.print(table)
    console.print(escape(inert(f"\n{found.headline}.")), soft_wrap=True)
    for note in found.notes:
        console.print(escape(inert(note)), style="yellow", soft_wrap=True)
    console.print(escape(inert(f"Page: {page}")), soft_wrap=True)
