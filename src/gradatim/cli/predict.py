"""`gradatim predict`."""

import csv
import io
import sys
from pathlib import Path

from gradatim.cli.options import Json, inert, print_json

__all__ = ["predict"]


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
    columns = [f"p({name})" for name in answers.classes]
    if json:
        rows = [
            {"row": str(name), "prediction": value}
            | (
                {}
                if answers.probabilities is None
                else dict(zip(columns, map(float, p), strict=True))
            )
            for name, value, p in zip(
                answers.rows,
                answers.predictions.tolist(),
                answers.predictions if answers.probabilities is None else answers.probabilities,
                strict=True,
            )
        ]
        print_json({"run": str(run), "predictions": rows, "notes": list(answers.notes)})
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, ["row", "prediction", *columns]))
    for i, (name, value) in enumerate(zip(answers.rows, answers.predictions.tolist(), strict=True)):
        odds = [] if answers.probabilities is None else answers.probabilities[i].round(6).tolist()
        writer.writerow([_cell(name), _cell(value), *odds])
    if out is not None:
        write_bytes(out, text.getvalue().encode("utf-8", "backslashreplace"))
    else:
        sys.stdout.write(inert(text.getvalue()) if sys.stdout.isatty() else text.getvalue())


def _cell(value: object) -> object:
    """Keep text from being taken for a formula by a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value
