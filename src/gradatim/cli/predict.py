"""`gradatim predict`."""

import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradatim.cli.options import Json, inert, print_json

if TYPE_CHECKING:
    from gradatim.session.ask import Answers

__all__ = ["predict"]

MANY, BEST = 20, 5
"""With more classes than MANY, the BEST ones are told instead of all."""


def predict(
    run: Path,
    data: str,
    /,
    *,
    out: Path | None = None,
    encoding: str | None = None,
    json: Json = False,
) -> None:
    """Answer new rows or pictures with the model of a run.

    Parameters
    ----------
    run
        Folder of a climb or a fit, or a model folder.
    data
        A table with the same columns, a picture, a folder of pictures, or arrays.
    out
        A CSV file to write; by default the answers go to stdout.
    encoding
        Of a text file that is not UTF-8.
    json
        Print one JSON object.
    """
    from gradatim.runs.files import write_bytes
    from gradatim.session.ask import predict as answer

    answers = answer(run, data, encoding)
    for note in answers.notes:
        sys.stderr.write(f"note: {inert(note)}\n")
    columns, rows = _table(answers)
    if json:
        told = [dict(zip(["row", *columns], row, strict=True)) for row in rows]
        print_json({"run": str(run), "predictions": told, "notes": list(answers.notes)})
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, ["row", *columns]))
    writer.writerows([_cell(value) for value in row] for row in rows)
    if out is not None:
        write_bytes(out, text.getvalue().encode("utf-8", "backslashreplace"))
    else:
        sys.stdout.write(inert(text.getvalue()) if sys.stdout.isatty() else text.getvalue())


def _table(answers: "Answers") -> tuple[list[str], list[list[Any]]]:
    """Return column names and rows: the probabilities of all classes, or of the best of many."""
    pairs = zip(map(str, answers.rows), answers.predictions.tolist(), strict=True)
    if answers.probabilities is None:
        return ["prediction"], [[name, value] for name, value in pairs]
    odds = answers.probabilities.round(6)
    if len(answers.classes) <= MANY:
        columns = ["prediction", *(f"p({name})" for name in answers.classes)]
        return columns, [[*pair, *p] for pair, p in zip(pairs, odds.tolist(), strict=True)]
    best = (-answers.probabilities).argsort(axis=1, kind="stable")[:, :BEST]
    columns = ["prediction", "p(prediction)"]
    for place in ("second", "third", "fourth", "fifth"):
        columns += [place, f"p({place})"]
    rows: list[list[Any]] = []
    for (name, _), chosen, p in zip(pairs, best, odds, strict=True):
        rows.append([name])
        for i in chosen:
            rows[-1] += [answers.classes[i], float(p[i])]
    return columns, rows


def _cell(value: object) -> object:
    """Keep text from being taken for a formula by a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value
