"""How trained rungs learnt, from the records of their fits; and how a size was chosen."""

import json
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


def learning(evidence: Evidence, rung: str) -> Drawing | None:
    """Return the learning curves of a rung; None for one that was solved."""
    curves: dict[str, list[Curve]] = {}
    fits = [folder for _, folder in sorted(evidence.fits.get(rung, {}).items())]
    fits = fits or ([evidence.folder] if evidence.fit else [])
    for folder in fits[:FOLDS]:
        records = _records(folder / "records.jsonl")
        for key in ("loss", "validation_loss"):
            line = _curve(records, key)
            if len(line) > 1:
                curves.setdefault(key.replace("_", " "), []).append(line)
    if not curves:
        return None
    more = f" The first {FOLDS} of {len(fits)} fits are drawn." if len(fits) > FOLDS else ""
    lines = ", one line a fold" if len(fits) > 1 else ""
    whole = "" if "validation loss" in curves else " No rows were held out: it learnt to the end."
    return Drawing(learning_figure(curves, rung), f"{rung}{lines}.{whole}{more}")


def _records(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines if line.strip()]
        return [record for record in records if isinstance(record, dict)]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CorruptError(f"cannot read {path}: {error}; restore it or start anew") from error


def _curve(records: list[dict[str, Any]], key: str) -> Curve:
    points = list[tuple[float, float]]()
    for place, record in enumerate(records, 1):
        value = number((record.get("values") or record).get(key))
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
