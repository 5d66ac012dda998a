"""`predict`: asking the model of a run; `resume` and `report`: going on, showing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from gradatim.core.errors import ConfigError
from gradatim.core.samples import Dataset, Samples
from gradatim.core.signature import Category
from gradatim.core.source import ReadOptions
from gradatim.data.read import read
from gradatim.report import build
from gradatim.runs.files import finish_anew, is_finished, read_json, write_bytes
from gradatim.runs.folder import QUESTION, command_of, find_run
from gradatim.session.climb import climb
from gradatim.session.fit import fit
from gradatim.session.load import Loaded, load, question_of

__all__ = ["Answers", "answer", "predict", "report", "resume"]


MANY = 1024
"""Rows from which on a frozen model is asked."""
ONE_CALL = ("category", "quantity", "picture", "mask", "boxes")
"""Answers for which a model is called and nothing else."""


@dataclass(frozen=True)
class Answers:
    """Predictions with the names of the rows.

    `predictions`: category names as text, or quantities; masks, boxes or pictures as their tasks
    decode them, on the canvas of the inputs. `probabilities` (rows, classes) for categories, else
    None. `data`: what was asked about.
    """

    rows: Sequence[str]
    predictions: np.ndarray
    probabilities: np.ndarray | None
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    data: Dataset


def predict(run: Path | str, data: Any, encoding: str | None = None) -> Answers:
    """Answer new rows; columns are found by name, values the model never saw count as unknown."""
    return answer(load(run), data, encoding)


def answer(loaded: Loaded, data: Any, encoding: str | None = None) -> Answers:
    """Answer new rows with a model that `load` returned."""
    _, card, task = loaded
    dataset = read(data, ReadOptions(encoding=encoding, signature=card.signature))
    said = task.answers(_asked(loaded, dataset.samples), dataset.samples)
    notes = tuple(f.message for f in dataset.findings)
    if isinstance(card.signature.output, Category):
        names = card.signature.output.names
        best = np.asarray(names, dtype=object)[said.argmax(1)]
        return Answers(dataset.row_names, best, said, names, notes, dataset)
    return Answers(dataset.row_names, said, None, (), notes, dataset)


def _asked(loaded: Loaded, samples: Samples) -> nn.Module:
    """Return the model, frozen where rows are many: freezing takes as long as some hundred answers.

    Not where pictures have sizes of their own: how a layer is called was chosen by one size.
    """
    many = len(samples) > MANY and samples.sizes is None
    if many and loaded.card.signature.output.kind in ONE_CALL:
        return loaded.frozen(samples.inputs[:8])
    return loaded.model


def resume(run: Path, watch: Callable[[Any], None] | None = None) -> Path:
    """Go on with an interrupted climb or fit, by asking its question again.

    Raises:
        ConfigError: the run is finished already.
    """
    folder = find_run(run)
    if is_finished(folder):
        raise ConfigError(f"{run} is finished; there is nothing to go on with")
    if _comparison(folder):
        text = f"resume goes on with climbs and fits; {run} goes on when it is asked again"
        raise ConfigError(f"{text}: {command_of(folder)}")
    question = question_of(run)
    shared = dict(question["options"]) | {"drop": question["drop"], "seed": question["seed"]}
    shared |= {"rows": question["rows"], "allow_leak": question["allow_leak"]}
    shared |= {"out": folder, "metric": question["metric"], "watch": watch}
    if question["job"] == "climb":
        asked = {key: question[key] for key in ("folds", "repeats", "rope")}
        asked["stream"] = question.get("stream", False)
        climb(question["data"], rungs=question["names"], **shared, **asked)
    else:
        asked = {"settings": _flat(question), "shard": question.get("shard", False)}
        fit(question["data"], rung=question["rung"], **asked, **shared)
    return folder


def _comparison(folder: Path) -> bool:
    """Tell whether a run has a page of its own and no model: a race, a search for a rate."""
    question = read_json(folder / QUESTION)
    return isinstance(question, dict) and question.get("job", "fit") not in ("climb", "fit")


def _flat(question: dict[str, Any]) -> list[str]:
    """Return the settings of a fit as `a.b=value` changes."""
    flat: list[str] = []

    def walk(prefix: str, values: dict[str, Any]) -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                walk(f"{prefix}{key}.", value)
            else:
                text = str(value).lower() if isinstance(value, bool) else repr(value)
                flat.append(f"{prefix}{key}={text}")

    walk("", question["recipe"])
    walk("model.", question["settings"])
    return flat


def report(runs: Sequence[Path], out: Path | None = None) -> Path:
    """Write one HTML page for finished runs; by default into the folder of the first."""
    folders = [find_run(run) for run in runs]
    for folder in filter(_comparison, folders):
        text = f"{folder} compares ways to fit one rung, and wrote its page itself"
        raise ConfigError(f"{text}: open {folder / 'report.html'}")
    path = out or folders[0] / "report.html"
    write_bytes(path, build(folders).encode())
    if path.parent in folders:
        finish_anew(path.parent)
    return path
