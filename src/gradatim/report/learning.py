"""How trained rungs learnt, from the records of their fits; and how a size was chosen."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gradatim.core.errors import CorruptError
from gradatim.report.details import Drawing
from gradatim.report.evidence import Evidence, number, text
from gradatim.report.figures.curves import Curve, choice_figure, learning_figure
from gradatim.report.rungs import fit_result

__all__ = ["choice", "learning"]

FOLDS = 10  # lines drawn
POINTS = 150  # of a line
PANELS: Mapping[str, Mapping[str, str]] = {
    "loss": {"loss": "loss", "validation_loss": "validation loss"},
    "losses": {"loss": "discriminator", "generator_loss": "generator"},
    "return while it learns": {"return": "return"},
}
"""Title of a figure -> what it draws of the records, and what that is called."""
ADVERSARY = "generator_loss"
PLAYING = ("synthesis", "actions")
"""Answers that are learnt without right ones, so that no rows are ever held out."""
LAST = " No rows were held out: it learnt to the end."


Records = list[dict[str, Any]]


def learning(evidence: Evidence, rung: str) -> list[Drawing]:
    """Return the learning curves of a rung; none for one that was solved."""
    fits = [folder for _, folder in sorted(evidence.fits.get(rung, {}).items())]
    fits = fits or ([evidence.folder] if evidence.fit else [])
    records = [_records(folder / "records.jsonl") for folder in fits[:FOLDS]]
    more = f" The first {FOLDS} of {len(fits)} fits are drawn." if len(fits) > FOLDS else ""
    lines = ", one line a fold" if len(fits) > 1 else ""
    played = any(ADVERSARY in _values(record) for fit in records for record in fit[:1])
    left_out = "loss" if played else "losses"
    drawings = list[Drawing]()
    for title, named in PANELS.items():
        curves = {} if title == left_out else _curves(records, named)
        if curves:
            held = title != "loss" or "validation loss" in curves or evidence.answers in PLAYING
            figure = learning_figure(curves, rung, title)
            drawings.append(Drawing(figure, f"{rung}{lines}.{'' if held else LAST}{more}"))
    return drawings


def _curves(fits: Sequence[Records], named: Mapping[str, str]) -> dict[str, list[Curve]]:
    found = {word: [_curve(records, key) for records in fits] for key, word in named.items()}
    curves = {word: [line for line in lines if len(line) > 1] for word, lines in found.items()}
    return {word: lines for word, lines in curves.items() if lines}


def _values(record: dict[str, Any]) -> dict[str, Any]:
    values = record.get("values")
    return values if isinstance(values, dict) else record


def _records(path: Path) -> Records:
    if not path.is_file():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines if line.strip()]
        return [record for record in records if isinstance(record, dict)]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CorruptError(f"cannot read {path}: {error}; restore it or start anew") from error


def _curve(records: Records, key: str) -> Curve:
    points = list[tuple[float, float]]()
    for place, record in enumerate(records, 1):
        value = number(_values(record).get(key))
        if value is not None:
            points.append((number(record.get("epoch")) or float(place), value))
    stride = -(-len(points) // POINTS)
    return points if stride <= 1 else [*points[:-1:stride], points[-1]]


def choice(evidence: Evidence, rung: str) -> Drawing | None:
    """Return the picture of how a rung's size was chosen, of the first fit that has one."""
    for _, folder in sorted(evidence.fits.get(rung, {}).items()):
        curve = fit_result(folder).get("curve")
        if isinstance(curve, dict):
            return _choice(curve, rung)
    return None


def _choice(curve: dict[str, Any], rung: str) -> Drawing | None:
    x = [number(value) for value in curve.get("x") or []]
    lines = [_line(x, curve.get(name) or []) for name in ("training", "held_out")]
    known = [value for value in x if value is not None]
    if not all(lines) or not known:
        return None
    name, chosen = text(curve.get("name")) or "size", number(curve.get("chosen"))
    figure = choice_figure(name, known, lines[0], lines[1], chosen)
    word = "" if chosen is None else f" Chosen: {chosen:g}."
    return Drawing(figure, f"{rung}: which {name}? First fold, chosen on inner folds.{word}")


def _line(x: list[float | None], values: list[Any]) -> Curve:
    pairs = zip(x, map(number, values), strict=False)
    return [(a, b) for a, b in pairs if a is not None and b is not None]
