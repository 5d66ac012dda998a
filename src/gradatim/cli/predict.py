"""`gradatim predict`."""

import csv
import io
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from gradatim.cli.make import make
from gradatim.cli.options import Json, Whole, inert, print_json

if TYPE_CHECKING:
    from gradatim.session.ask import Answers

__all__ = ["predict"]

MANY, BEST = 20, 5
"""With more classes than MANY, the BEST ones are told instead of all."""


def predict(
    run: Path,
    data: str | None = None,
    /,
    *,
    out: Path | None = None,
    form: Annotated[Literal["coco", "voc", "yolo"] | None, Parameter(name="--format")] = None,
    encoding: str | None = None,
    prompt: str | None = None,
    length: Whole | None = None,
    temperature: float | None = None,
    count: Whole | None = None,
    seed: Whole | None = None,
    json: Json = False,
) -> None:
    """Answer new rows with the model of a run; go on with a text, draw pictures, play a game.

    Parameters
    ----------
    run
        Folder of a climb or a fit, or a model folder.
    data
        A table with the same columns, a picture, a folder of pictures or recordings, arrays, text
        to translate. A model of text, of pictures that it draws or of a game needs none; an
        autoencoder leads pictures through its code and back.
    out
        A CSV file to write; by default the answers go to stdout. A folder for models that answer
        with pictures, masks or boxes; a GIF for a game. Translations go to lines, a .tsv, a .tmx or
        a .po.
    prompt
        Of a model of text: what it goes on with.
    length
        How many characters it writes; 500 by default.
    temperature
        Divides its logits: below 1 it dares less; 1 by default.
    count
        How many pictures to draw, or games to play; 64 and 1 by default.
    seed
        Of what is written, drawn or played; 0 by default.
    form
        Of boxes in a folder: COCO results, Pascal VOC or YOLO; by default COCO.
    encoding
        Of a text file that is not UTF-8.
    json
        Print one JSON object.
    """
    from gradatim.session.ask import answer
    from gradatim.session.handing_over import check_way, hand_over, many_files
    from gradatim.session.load import load

    loaded = load(run)
    output = loaded[1].signature.output
    asked = {"prompt": prompt, "length": length, "temperature": temperature}
    asked |= {"count": count, "seed": seed}
    if make(run, loaded, data, out, asked, json=json):
        return
    check_way(output, data, out, form)
    answers = answer(loaded, data, encoding)
    for note in answers.notes:
        sys.stderr.write(f"note: {inert(note)}\n")
    if output.kind == "translation":
        table = json or (out is not None and out.suffix == ".csv")
        answers = _put_back(answers, encoding) if table or out is None else answers
        if not table:
            _tell_translations(answers, out, encoding)
            return
    if out is not None and many_files(output):
        names = hand_over(answers.data, answers.predictions, out, form)
        _tell_files(run, out, names, answers.notes, json)
        return
    columns, rows = _table(answers)
    if json:
        told = [dict(zip(["row", *columns], row, strict=True)) for row in rows]
        print_json({"run": str(run), "predictions": told, "notes": list(answers.notes)})
        return
    _tell_table(["row", *columns], rows, out)


def _tell_files(
    run: Path, out: Path, names: list[PurePosixPath], notes: tuple[str, ...], json: bool
) -> None:
    """Say what was written: all names for machines, numbers of files for people."""
    if json:
        files = [str(name) for name in names]
        print_json({"run": str(run), "folder": str(out), "files": files, "notes": list(notes)})
        return
    counts = Counter(name.parts[0] if len(name.parts) > 1 else "" for name in names)
    for place, count in counts.items():
        sys.stdout.write(f"{inert(out / place)}: {count:,} file{'s' if count > 1 else ''}\n")


def _put_back(answers: "Answers", encoding: str | None) -> "Answers":
    """Return translations with the placeholders of their sentences."""
    from gradatim.session.translations import translations

    said = translations(answers.data, answers.predictions, encoding)
    return replace(answers, predictions=said)


def _tell_translations(answers: "Answers", out: Path | None, encoding: str | None) -> None:
    """Write translations as the ending of the file says; without a file, a line each."""
    from gradatim.session.translations import write_translations

    if out is not None:
        write_translations(answers.data, answers.predictions, out, encoding)
        return
    sys.stdout.write("".join(f"{inert(line)}\n" for line in answers.predictions.tolist()))


def _tell_table(columns: list[str], rows: list[list[Any]], out: Path | None) -> None:
    from gradatim.runs.files import write_bytes

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(value) for value in row] for row in rows)
    if out is not None:
        write_bytes(out, text.getvalue().encode("utf-8", "backslashreplace"))
    else:
        sys.stdout.write(inert(text.getvalue()) if sys.stdout.isatty() else text.getvalue())


def _table(answers: "Answers") -> tuple[list[str], list[list[Any]]]:
    """Return column names and rows: the probabilities of all classes, or of the best of many."""
    from gradatim.session.handing_over import box_table, many_files

    if many_files(answers.data.signature.output):
        return box_table(answers.data, answers.predictions)
    if answers.data.signature.output.kind == "continuation":
        return _costs(answers)
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


def _costs(answers: "Answers") -> tuple[list[str], list[list[Any]]]:
    """Return how many characters each passage has, and what one of them cost."""
    many = (answers.data.samples.inputs >= 0).sum(1).tolist()
    nats = answers.predictions.sum(axis=1, dtype="float64").tolist()
    rows = zip(map(str, answers.rows), many, nats, strict=True)
    told = [[name, count, round(cost / max(count, 1), 6)] for name, count, cost in rows]
    return ["characters", "nats_per_character"], told


def _cell(value: object) -> object:
    """Keep text from being taken for a formula by a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value
