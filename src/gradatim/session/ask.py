"""`predict` and `evaluate`: asking the model of a run; `resume` and `report`: going on, showing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.compare.gallery import keep_test_gallery
from gradatim.core.errors import ConfigError, CorruptError, DataError
from gradatim.core.rung import Model
from gradatim.core.samples import Dataset
from gradatim.core.signature import Category
from gradatim.core.source import ReadOptions
from gradatim.core.task import Supervised
from gradatim.data.read import read
from gradatim.evaluate.judge import judge, known
from gradatim.evaluate.judge import predict as decode
from gradatim.evaluate.opening import open_test
from gradatim.report import build
from gradatim.runs.files import finish_all, is_finished, read_array, read_json, write_bytes
from gradatim.runs.folder import QUESTION, command_of, find_run, read_question
from gradatim.runs.lock import locked
from gradatim.runs.model_folder import ModelCard, load_model
from gradatim.session.climb import climb
from gradatim.session.fit import fit
from gradatim.session.objects import open_data
from gradatim.session.streaming import open_again
from gradatim.tasks import TASKS

__all__ = ["Answers", "answer", "evaluate", "load", "predict", "report", "resume"]


Loaded = tuple[Model, ModelCard, Supervised]

HANDED_OVER = ("frame", "arrays")
"""Sources of data that never was in a file."""


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


def load(run: Path | str) -> Loaded:
    """Return the model of a run folder or a model folder, its card and its task."""
    path = Path(run)
    folder = path / "model" if (path / "model").is_dir() else path
    if not folder.is_dir():
        raise DataError(f"{path} is no folder; name a run, such as one below runs/")
    model, card = load_model(folder)
    if card.task not in TASKS.names() or card.metric not in TASKS[card.task].metrics:
        task = f"task {card.task!r:.70} with metric {card.metric!r:.70}"
        raise CorruptError(f"{folder / 'model.json'} names no known {task}; copy the folder again")
    return model, card, TASKS[card.task].of(card.signature)


def predict(run: Path | str, data: Any, encoding: str | None = None) -> Answers:
    """Answer new rows; columns are found by name, values the model never saw count as unknown."""
    return answer(load(run), data, encoding)


def answer(loaded: Loaded, data: Any, encoding: str | None = None) -> Answers:
    """Answer new rows with a model that `load` returned."""
    model, card, task = loaded
    dataset = read(data, ReadOptions(encoding=encoding, signature=card.signature))
    said = decode(model, task, dataset.samples)
    notes = tuple(f.message for f in dataset.findings)
    if isinstance(card.signature.output, Category):
        names = card.signature.output.names
        best = np.asarray(names, dtype=object)[said.argmax(1)]
        return Answers(dataset.row_names, best, said, names, notes, dataset)
    return Answers(dataset.row_names, said, None, (), notes, dataset)


def evaluate(run: Path | str, data: Any = None, target: str | None = None) -> dict[str, Any]:
    """Score a model: on other data, or by opening the sealed test split of its run once more.

    Returns:
        `data, rung, metric, score, low, high, scores, rows` and, for the sealed split, `openings`.
    """
    model, card, task = load(run)
    metric = task.metrics[card.metric]
    facts = {"rung": card.rung, "task": card.task, "metric": card.metric}
    if data is None and "stream" in _asked(Path(run)):
        rung = facts["rung"]
        with locked(Path(run)):
            entry = open_again(Path(run), _asked(Path(run)), rung)
            _seal(Path(run))
        return facts | {"data": f"sealed test split of {run}"} | entry
    if data is None:
        dataset, rows = _sealed(Path(run))
        with locked(Path(run)):
            entry = open_test(Path(run), model, card.rung, task, metric, dataset, rows)
            if (Path(run) / "fit.json").is_file():
                keep_test_gallery(Path(run), dataset, card.rung, task)
            _seal(Path(run))
        return facts | {"data": f"sealed test split of {run}", "rows": len(rows)} | entry
    names = _names_asked(Path(run))
    options = ReadOptions(target=target, names=names, signature=card.signature, judged=True)
    dataset = read(data, options)
    if len(dataset.samples.targets) == 0:
        raise DataError(f"{dataset.name} has no targets to compare with; use predict, or --target")
    result = judge(model, task, metric, dataset.samples)
    numbers = {"score": result.score, "low": result.low, "high": result.high}
    values: dict[str, Any] = {name: known(number) for name, number in numbers.items()}
    values["scores"] = dict(result.scores)
    if _trained_on(Path(run), dataset):
        values["note"] = "this is the data that the model was trained on; the score flatters it"
    return facts | {"data": dataset.source, "rows": len(dataset)} | values


def _trained_on(run: Path, dataset: Dataset) -> bool:
    question = run / "question.json"
    return question.is_file() and read_json(question)["fingerprint"] == dataset.fingerprint


def _names_asked(run: Path) -> str | None:
    """Return the pattern of file names that a run was told, for other data named in its way."""
    question = read_json(run / QUESTION) if (run / QUESTION).is_file() else {}
    pattern = question.get("options", {}).get("names") if isinstance(question, dict) else None
    return pattern if isinstance(pattern, str) else None


def _asked(run: Path) -> dict[str, Any]:
    """Return the question of a run whose data can be read again."""
    question = read_question(find_run(run))
    if question["data"] in HANDED_OVER and not Path(question["data"]).exists():
        raise DataError(
            f"the data of {run} was handed over in Python and is not in any file; "
            "hand it over again, in the same call"
        )
    return question


def _sealed(run: Path) -> tuple[Dataset, np.ndarray]:
    question = _asked(run)
    options = ReadOptions(**question["options"])
    dataset = open_data(
        question["data"], options, question["drop"], rows=question["rows"], allow_leak=True
    )
    if dataset.fingerprint != question["fingerprint"]:
        raise DataError(
            f"{question['data']} has changed since {run} was made (its fingerprint differs); "
            "restore the file, or name data: gradatim evaluate RUN DATA"
        )
    return dataset, read_array(run / "split.npz")["test"]


def _seal(run: Path) -> None:
    """Write the hashes of a finished run anew, after a file in it was meant to change."""
    if is_finished(run):
        finish_all(run)


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
    question = _asked(run)
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
        _seal(path.parent)
    return path
