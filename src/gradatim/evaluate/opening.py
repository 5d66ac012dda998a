"""Opening the sealed test split, and writing down that it was opened."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.core.errors import CorruptError
from gradatim.core.metric import Metric
from gradatim.core.rung import Model
from gradatim.core.samples import Dataset
from gradatim.core.task import Task
from gradatim.evaluate.answers import keep_answers
from gradatim.evaluate.judge import Judgement, judge, known
from gradatim.runs.files import read_json, write_array, write_arrays, write_json

__all__ = ["open_test", "write_opening"]


def open_test(
    folder: Path,
    model: Model,
    rung: str,
    task: Task,
    metric: Metric,
    data: Dataset,
    rows: np.ndarray,
    *,
    again: bool = False,
) -> dict[str, Any]:
    """Judge a model on the sealed rows and add the opening to `evaluation.json`.

    `again` is for a climb that was cut off after its opening and goes on: the same model gives the
    same answers, so that opening is the same one.

    Returns:
        `score, low, high, openings, scores`: openings counts this one too; a score that is not
        defined on these rows is None.
    """
    samples = data.samples.take(rows)
    result = judge(model, task, metric, samples)
    kept = write_opening(folder, model, rung, metric, result, len(rows), again=again)
    write_array(folder / "test_rows.npy", rows)
    keep_answers(folder, samples, result.predictions, result.quality, "test_")
    if result.curve:
        write_arrays(folder / "test_curve.npz", dict(result.curve))
    return kept


def write_opening(
    folder: Path,
    model: Model,
    rung: str,
    metric: Metric,
    result: Judgement,
    rows: int,
    *,
    again: bool = False,
) -> dict[str, Any]:
    """Add an opening to `evaluation.json`; return it as `open_test` does."""
    entry = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "rung": rung,
        "model": _digest(model),
        "metric": metric.name,
        "score": known(result.score),
        "low": known(result.low),
        "high": known(result.high),
        "scores": dict(result.scores),
        "rows": rows,
    }
    entry |= {"remark": result.remark} if result.remark else {}
    path = folder / "evaluation.json"
    openings = _openings(path)
    if again:
        openings = [e for e in openings if e["model"] != entry["model"]]
    openings = [*openings, entry]
    write_json(path, {"openings": openings})
    kept = {k: entry[k] for k in ("score", "low", "high", "scores", "remark") if k in entry}
    return kept | {"openings": len(openings)}


def _openings(path: Path) -> list[dict[str, Any]]:
    known = read_json(path) if path.is_file() else {"openings": []}
    entries = known.get("openings") if isinstance(known, dict) else None
    if not isinstance(entries, list) or not all("model" in entry for entry in entries):
        raise CorruptError(f"{path} is no list of openings; restore it")
    return entries


def _digest(model: Model) -> str:
    """Return a hash of all numbers in a model."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
