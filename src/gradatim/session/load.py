"""What a finished run holds: its model, and the question that it was asked."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gradatim.core.errors import ConfigError, CorruptError, DataError
from gradatim.core.rung import Model
from gradatim.core.task import Task
from gradatim.explain.examples import KINDS, random_inputs
from gradatim.export.frozen import Frozen, frozen
from gradatim.runs.folder import find_run, read_question
from gradatim.runs.model_folder import ModelCard, load_model
from gradatim.session.features import FOLDER as FEATURES
from gradatim.session.features import reequipped
from gradatim.tasks import TASKS

__all__ = ["Loaded", "load", "question_of"]

HANDED_OVER = ("frame", "arrays")
"""Sources of data that never was in a file."""


class Loaded(NamedTuple):
    """A fitted model, what its card says, and the task that it was fitted for."""

    model: Model
    card: ModelCard
    task: Task

    def frozen(self, example: Tensor | None = None) -> Frozen:
        """Return the model in a form that only answers, and faster: for those who ask often.

        Args:
            example: a few raw inputs, as `model` takes them, that its answers are checked with;
                noise unless given, which text and games have not.

        Raises:
            ConfigError: an example is needed.
        """
        field = self.card.signature.input
        if example is None and field.kind not in (*KINDS, "sound"):
            raise ConfigError(f"noise is no {field.kind}; hand over an example of a few rows")
        if example is None:
            example = random_inputs(field, 3, torch.Generator().manual_seed(0))
        return frozen(self.model, example)


def load(run: Path | str) -> Loaded:
    """Return the model of a run folder or a model folder, its card and its task.

    `load(run).frozen()` is the model for those who ask it often.
    """
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
    return Loaded(model, card, reequipped(task, path) if equipped else task)


def question_of(run: Path) -> dict[str, Any]:
    """Return the question of a run whose data can be read again."""
    question = read_question(find_run(run))
    if question["data"] in HANDED_OVER and not Path(question["data"]).exists():
        raise DataError(
            f"the data of {run} was handed over in Python and is not in any file; "
            "hand it over again, in the same call"
        )
    return question
