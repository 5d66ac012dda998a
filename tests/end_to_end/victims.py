"""What the children of `test_killed.py` do: fit or climb, saving at every step.

The data are small, the workers of a climb are this very process, and the forecast is given, so that
the same operations on the disk come in the same order every time.
"""

from collections.abc import Iterable, Iterator
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

import gradatim
from gradatim.compare import climb as climb_room
from gradatim.compare import final, fits
from gradatim.compare.forecast import Forecast
from gradatim.compare.job import Work
from gradatim.runs.checkpoints import Checkpoints
from gradatim.session import climb as session
from gradatim.session.objects import work_for
from gradatim.train import lasting

SETTINGS = ("epochs=3", "batch=16", "model.width=4")


def samples(rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Three classes that can be told, more or less."""
    chance = np.random.default_rng(0)
    kind = np.arange(rows) % 3
    return chance.normal(size=(rows, 3)) + kind[:, None], kind


def fit(run: str, patiently: bool = True) -> None:
    """Fit a network, or go on; patiently means that training waits for each checkpoint."""
    _PATIENT[:] = [patiently]
    gradatim.fit(samples(), rung="mlp", settings=SETTINGS, out=run)


def climb(run: str, stacked: bool = False) -> None:
    """Climb, or go on; the folds of the network are trained one by one, or as one model."""
    _PATIENT[:] = [True]
    planned = {"majority": Forecast(0.1), "mlp": Forecast(0.1, 0.01 if stacked else None)}
    climb_room._forecast = lambda work, *_: planned[work.name]
    gradatim.climb(samples(), rungs=["majority", "mlp"], folds=3, out=run)


def warm() -> None:
    """Change what has to be changed, and import what is imported late."""
    _patch()
    with TemporaryDirectory() as folder:
        fit(f"{folder}/fit")
        climb(f"{folder}/climb")
        climb(f"{folder}/stacked", stacked=True)


def _save(self: Checkpoints, *given: Any, **named: Any) -> None:
    _honest_save(self, *given, **named)
    if _PATIENT[0]:
        self.wait()


def _one_by_one(calls: Iterable[Any], **_: Any) -> Iterator[Any]:
    for function, given, named in calls:
        yield function(*given, **named)


def _behave() -> None:
    torch.set_flush_denormal(True)


def _short_work(*given: Any) -> Work:
    return work_for(*given, settings={"epochs": 2, "batch": 16})


_PATIENT = [True]
_honest_save = Checkpoints.save


def _patch() -> None:
    """Change the modules of this process; not when the file is imported, as doctests import it."""
    Checkpoints.save = _save
    lasting.SAVE_EVERY = lasting.PAUSE = 0.0
    session.work_for = _short_work
    for room in (climb_room, final):
        room.side_by_side = _one_by_one
    for room in (climb_room, final, fits):
        room.behave = _behave
