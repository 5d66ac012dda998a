"""What a finished run holds: its model, and the question that it was asked."""

from pathlib import Path
from typing import Any

from gradatim.core.errors import CorruptError, DataError
from gradatim.core.rung import Model
from gradatim.core.task import Task
from gradatim.runs.folder import find_run, read_question
from gradatim.runs.model_folder import ModelCard, load_model
from gradatim.session.features import FOLDER as FEATURES
from gradatim.session.features import reequipped
from gradatim.tasks import TASKS

__all__ = ["Loaded", "load", "question_of"]

Loaded = tuple[Model, ModelCard, Task]

HANDED_OVER = ("frame", "arrays")
"""Sources of data that never was in a file."""


def load(run: Path | str) -> Loaded:
    """Return the model of a run folder or a model folder, its card and its task."""
    path = Path(run)
    folder = path / "model" if (path / "model").is_dir() else path
    if not folder.is_dir():
        raise DataError(f"{path} is no folder; name a run, such as one below runs/")
    model, card = load_model(folder)
    if card.task not in TASKS.names() or card.metric not in TASKS[card.task].metrics:
        what = f"task {card.task!r:.70} with metric {card.metric!r:.70}"
        raise CorruptError(f"{folder / 'model.json'} names no known {what}; copy the folder again")
    task = TASKS[card.task].of(card.signature)
    equipped = (path / FEATURES).is_dir()
    return model, card, reequipped(task, path) if equipped else task


def question_of(run: Path) -> dict[str, Any]:
    """Return the question of a run whose data can be read again."""
    question = read_question(find_run(run))
    if question["data"] in HANDED_OVER and not Path(question["data"]).exists():
        raise DataError(
            f"the data of {run} was handed over in Python and is not in any file; "
            "hand it over again, in the same call"
        )
    return question
