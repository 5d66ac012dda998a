"""Tracks: what can be told of each fit of a run folder, finished or not, from its files alone."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gradatim.core.errors import CorruptError
from gradatim.runs.files import is_finished, read_json
from gradatim.runs.folder import QUESTION

__all__ = ["Plain", "Point", "Track", "identity", "stamp", "tracks"]

RECORDS, RESULT = "records.jsonl", "result.json"

Plain = bool | int | float | str
"""What other tools keep as the value of a setting."""


@dataclass(frozen=True)
class Point:
    """Values by name after a number of steps, `seconds` after the fit began."""

    step: int
    seconds: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class Track:
    """One fit of a run.

    Args:
        name: RUNG/R-F for a fold, "final" for the fit on all training rows.
        begun: when the run began, in seconds since 1970.
        settings: of rung and recipe, flat.
        tags: what else is known, as text.
        points: one a record.
        scores: on the validation rows, or on the sealed test part; empty while it is fitted.
        finished: whether there is nothing to come.
        failed: why the fit failed, if it did.
    """

    name: str
    begun: float
    settings: Mapping[str, Plain]
    tags: Mapping[str, str]
    points: Sequence[Point]
    scores: Mapping[str, float]
    finished: bool
    failed: str = ""


def tracks(run: Path) -> Iterator[Track]:
    """Yield what is known of every fit of a run that has begun.

    Args:
        run: a folder with a question.

    Raises:
        CorruptError: a file in it is not what was written.
    """
    question, begun = read_json(run / QUESTION), _begun(run)
    for folder in sorted({path.parent for path in (run / "fits").glob("*/*/*.json*")}):
        name = folder.parent.name
        result = read_json(folder / RESULT) if is_finished(folder) else {}
        yield Track(
            f"{name}/{folder.name}",
            begun,
            _settings(question, name),
            {"rung": name, "fold": folder.name},
            _points(folder / RECORDS),
            _numbers(result.get("scores", {})),
            bool(result),
            str(result.get("failed", "")),
        )
    if (run / RECORDS).is_file():
        yield _final(run, question, begun)


def identity(run: Path) -> str:
    """Return what tells this run from every other one, wherever its folder is moved."""
    read = [path.read_bytes() for path in (run / QUESTION, run / "environment.json")]
    return hashlib.sha256(b"".join(read)).hexdigest()[:12]


def stamp(run: Path) -> tuple[tuple[str, int, int], ...]:
    """Return something that differs when a run has more to tell."""
    paths = [*run.glob("*.json*"), *run.glob("fits/*/*/*.json*")]
    facts = [(path, path.stat()) for path in sorted(paths)]
    return tuple((str(path), fact.st_size, fact.st_mtime_ns) for path, fact in facts)


def _final(run: Path, question: Mapping[str, Any], begun: float) -> Track:
    """Return the fit on all training rows: that of `fit`, or of the rung that a climb chose."""
    done = is_finished(run)
    board = read_json(run / "leaderboard.json") if (run / "leaderboard.json").is_file() else {}
    rung = str(question.get("rung") or board.get("verdict", {}).get("rung", ""))
    scores = _numbers(board.get("test", {}).get("scores", {}))
    points = _points(run / RECORDS)
    return Track("final", begun, _settings(question, rung), {"rung": rung}, points, scores, done)


def _begun(run: Path) -> float:
    path = run / "environment.json"
    try:
        return datetime.fromisoformat(read_json(path)["date"]).timestamp()
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptError(f"{path} does not say when the run began; restore it") from error


def _settings(question: Mapping[str, Any], name: str) -> dict[str, Plain]:
    """Return the settings of a rung or variant, wherever the kind of question keeps them."""
    rung, recipe = question.get("settings"), question.get("recipe")
    if "rungs" in question:
        rung, recipe = (question[key].get(name) for key in ("rungs", "recipes"))
    elif "works" in question:
        work = question["works"].get(name, {})
        rung, recipe = work.get("rung"), work.get("recipe")
    flat = dict(_flat("model", rung or {})) | dict(_flat("", recipe or {}))
    return flat | {key: question[key] for key in ("data", "metric", "seed") if key in question}


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Plain]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else key, inner)
    else:
        yield prefix, value if isinstance(value, Plain) else json.dumps(value)


def _points(path: Path) -> list[Point]:
    """Read the lines that are whole: of a fit under way, the last one may be half-written."""
    if not path.is_file():
        return []
    *lines, _ = path.read_text(encoding="utf-8").split("\n")
    try:
        return [_point(json.loads(line)) for line in lines]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptError(f"{path} holds a line that is no record: {error}; restore it") from error


def _point(record: Mapping[str, Any]) -> Point:
    values = {"rate": record["rate"], **record["values"]}
    return Point(int(record["step"]), float(record["seconds"]), _numbers(values))


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in sorted(values.items()) if value is not None}
