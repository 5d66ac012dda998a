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
    input_: Annotated[str, Parameter(name="--input")],
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
        step, such as 20x2; of a table its columns, such as 13.
    classes
        Classes to tell apart; 1000 for pictures 224 pixels high, else 10.
    size
        A named size of the rung, such as tiny.
    set_
        Change a setting of the network, such as model.width=64; may be given several times.
    out
        An HTML page to write, with a figure.
    json
        Print one JSON object.
    """
    from gradatim.runs.files import write_bytes
    from gradatim.session.shapes import shapes as look

    found = look(model, input_, classes=classes, size=size, settings=set_)
    if out is not None:
        write_bytes(out, found.page().encode())
    if json:
        print_json(found.as_dict())
    else:
        _print(found, out)


def _print(found: "ShapesOfModel", out: Path | None) -> None:
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
    if out is not None:
        console.print(escape(inert(f"Page: {out}")), soft_wrap=True)
