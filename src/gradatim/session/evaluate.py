"""`evaluate`: scoring a model on rows it has not seen, alone or against another."""

from pathlib import Path
from typing import Any

import numpy as np

from gradatim.compare.gallery import keep_test_gallery
from gradatim.core.errors import ConfigError, DataError
from gradatim.core.samples import Dataset, Samples
from gradatim.core.source import ReadOptions
from gradatim.data.read import read
from gradatim.evaluate.judge import judge, known
from gradatim.evaluate.opening import open_test
from gradatim.runs.files import finish_anew, read_array, read_json
from gradatim.runs.folder import QUESTION
from gradatim.runs.lock import locked
from gradatim.session.against import held_against
from gradatim.session.load import load, question_of
from gradatim.session.objects import open_data
from gradatim.session.streaming import open_again

__all__ = ["evaluate"]


def evaluate(
    run: Path | str,
    data: Any = None,
    target: str | None = None,
    against: Path | str | None = None,
) -> dict[str, Any]:
    """Score a model: on other data, or by opening the sealed test split of its run once more.

    Args:
        run: whose model is meant.
        data: other data with its targets; None opens the sealed split.
        target: the column with the right answers, when it is called otherwise.
        against: another run whose model answers the same rows.

    Returns:
        `data, rung, metric, score, low, high, scores, rows`, for the sealed split `openings`, and
        `against` where a run is given (see `held_against`).
    """
    model, card, task = load(run)
    metric = task.metrics[card.metric]
    facts: dict[str, Any] = {"rung": card.rung, "task": card.task, "metric": card.metric}
    if data is None and "stream" in question_of(Path(run)):
        rung = facts["rung"]
        with locked(Path(run)):
            entry = open_again(Path(run), question_of(Path(run)), rung)
            finish_anew(Path(run))
        return facts | {"data": f"sealed test split of {run}"} | entry
    if data is None:
        _check_sealed_from(Path(run), against)
        dataset, rows = _sealed(Path(run))
        with locked(Path(run)):
            entry = open_test(Path(run), model, card.rung, task, metric, dataset, rows)
            if (Path(run) / "fit.json").is_file():
                keep_test_gallery(Path(run), dataset, card.rung, task)
            finish_anew(Path(run))
        facts |= {"data": f"sealed test split of {run}", "rows": len(rows)} | entry
        return facts | _rival(Path(run), against, dataset.samples.take(rows))
    names = _names_asked(Path(run))
    options = ReadOptions(target=target, names=names, signature=card.signature, judged=True)
    dataset = read(data, options)
    if len(dataset.samples.targets) == 0:
        raise DataError(f"{dataset.name} has no targets to compare with; use predict, or --target")
    result = judge(model, task, metric, dataset.samples)
    numbers = {"score": result.score, "low": result.low, "high": result.high}
    values: dict[str, Any] = {name: known(number) for name, number in numbers.items()}
    values["scores"] = dict(result.scores)
    values |= {"remark": result.remark} if result.remark else {}
    if _trained_on(Path(run), dataset):
        values["note"] = "this is the data that the model was trained on; the score flatters it"
    facts |= {"data": dataset.source, "rows": len(dataset)} | values
    return facts | _rival(Path(run), against, dataset.samples)


def _rival(run: Path, other: Path | str | None, samples: Samples) -> dict[str, Any]:
    return {} if other is None else {"against": held_against(run, Path(other), samples)}


def _check_sealed_from(run: Path, other: Path | str | None) -> None:
    """Refuse another model that may have learnt from the rows that are sealed here."""
    if other is None:
        return
    splits = [folder / "split.npz" for folder in (run, Path(other))]
    if all(path.is_file() for path in splits):
        ours, theirs = (read_array(path)["test"] for path in splits)
        if np.array_equal(ours, theirs):
            return
    raise ConfigError(
        f"{other} may have learnt from the rows that {run} keeps sealed: their splits differ; "
        "give both the same data and --seed, or name other data: gradatim evaluate RUN DATA"
    )


def _trained_on(run: Path, dataset: Dataset) -> bool:
    question = run / "question.json"
    return question.is_file() and read_json(question)["fingerprint"] == dataset.fingerprint


def _names_asked(run: Path) -> str | None:
    """Return the pattern of file names that a run was told, for other data named in its way."""
    question = read_json(run / QUESTION) if (run / QUESTION).is_file() else {}
    pattern = question.get("options", {}).get("names") if isinstance(question, dict) else None
    return pattern if isinstance(pattern, str) else None


def _sealed(run: Path) -> tuple[Dataset, np.ndarray]:
    question = question_of(run)
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
